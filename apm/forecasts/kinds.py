"""The kinds of models: how each is trained and asked, from one reading of the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from apm.core.command import Context
from apm.forecasts import lifetimes, soon, trends
from apm.forecasts.artifact import Unreadable
from apm.forecasts.computing import each
from apm.forecasts.courses import Course, courses
from apm.forecasts.foretold import Foretold, Needs, Trained
from apm.forecasts.histories import Histories, histories
from apm.forecasts.model import ModelKind

CHUNK = 2500
"""Units asked about at once."""


@dataclass(frozen=True, slots=True)
class Material:
    """What models learn from and are asked about, as of `known.at`."""

    known: Histories
    courses: list[Course] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Taught:
    """A model as it is asked: numbers, and for scikit-learn's the stored model."""

    kind: ModelKind
    parameters: dict[str, Any]
    artifact: bytes | None = None


def material(
    ctx: Context,
    at: datetime,
    kinds: Sequence[ModelKind] = tuple(ModelKind),
    only: Sequence[int] | None = None,
) -> Material:
    """Return the records of the hospital as of `at` that these kinds need."""
    known = histories(ctx, at, only)
    if ModelKind.TREND not in kinds:
        return Material(known)
    return Material(
        known, courses(ctx, at, {unit.id: (unit.category, unit.is_down) for unit in known.running})
    )


def train(kind: ModelKind, given: Material, compute: str = "local") -> Trained | Needs:
    """Teach one kind of model; `Needs` says what is missing."""
    return TRAIN[kind](given, compute)


def ask(taught: Taught, given: Material, compute: str = "local") -> list[Foretold]:
    """Return what a model says of each of its subjects in operation."""
    return ASK[taught.kind](taught, given, compute)


def _train_life(given: Material, _compute: str) -> Trained | Needs:
    return lifetimes.train(given.known)


def _ask_life(taught: Taught, given: Material, compute: str) -> list[Foretold]:
    ask_one = partial(lifetimes.foretell, parameters=taught.parameters)
    return _joined(each(ask_one, _parts(given.known), compute))


def _train_trend(given: Material, _compute: str) -> Trained | Needs:
    return trends.train(given.courses, given.known)


def _ask_trend(taught: Taught, given: Material, compute: str) -> list[Foretold]:
    return trends.foretell(given.courses, taught.parameters, compute)


def _train_soon(given: Material, _compute: str) -> Trained | Needs:
    return soon.train(given.known)


def _ask_soon(taught: Taught, given: Material, compute: str) -> list[Foretold]:
    if taught.artifact is None:
        raise Unreadable("has no stored model")
    return soon.foretell(given.known, taught.parameters, taught.artifact, compute)


def _parts(known: Histories) -> list[Histories]:
    units = known.running
    return [replace(known, units=units[k : k + CHUNK]) for k in range(0, len(units), CHUNK)]


def _joined(parts: Sequence[list[Foretold]]) -> list[Foretold]:
    return [one for part in parts for one in part]


TRAIN: dict[ModelKind, Callable[[Material, str], Trained | Needs]] = {
    ModelKind.LIFE: _train_life,
    ModelKind.TREND: _train_trend,
    ModelKind.SOON: _train_soon,
}
ASK: dict[ModelKind, Callable[[Taught, Material, str], list[Foretold]]] = {
    ModelKind.LIFE: _ask_life,
    ModelKind.TREND: _ask_trend,
    ModelKind.SOON: _ask_soon,
}
