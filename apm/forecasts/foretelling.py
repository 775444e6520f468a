"""Foretelling: every model asked about every asset, its answers kept, some of them frozen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apm.core.command import Context
from apm.forecasts.acting import act, asks_for_work, tell_plans
from apm.forecasts.arranging import arrange_fleet
from apm.forecasts.costing import Floor, floor_of
from apm.forecasts.keeping import Answers, keep
from apm.forecasts.kinds import Material, Taught, ask, material
from apm.forecasts.model import ModelKind, ModelVersion
from apm.forecasts.registry import at_work
from apm.forecasts.training import train_due, train_kind

log = logging.getLogger(__name__)
TOO_OLD = timedelta(days=1)
"""What is foretold from an older instant is kept, but nobody acts on it any more."""


@dataclass(slots=True)
class Done:
    """What one run did."""

    trained: int = 0
    assets: int = 0
    forecasts: int = 0
    warnings: int = 0
    orders: int = 0


def foretell_all(
    ctx: Context,
    *,
    at: datetime | None = None,
    train: bool = True,
    compute: str = "local",
) -> Done:
    """Train what is due, ask every model about every asset, and open the work that asks for it.

    Safe to repeat: a second run at the same instant changes nothing.

    Args:
        ctx: whose hospital.
        at: the instant to foretell from, by default now; nothing later is used.  In the past it
            trains nothing, since a model at work would have been taught by what came later.
        train: whether to train what is due.
        compute: the setting `APM_COMPUTE`.
    """
    done = Done()
    if train and at is None:
        done.trained = len(train_due(ctx, compute=compute))
    return _foretell(ctx, done, at or ctx.now(), None, compute)


def foretell_some(ctx: Context, asset_ids: Sequence[int], *, compute: str = "local") -> Done:
    """Ask every model about a few assets at once: one of them has raised an alarm."""
    return _foretell(ctx, Done(), ctx.now(), sorted(set(asset_ids)), compute)


def _foretell(
    ctx: Context, done: Done, at: datetime, only: Sequence[int] | None, compute: str
) -> Done:
    given = material(ctx, at, only=only)
    floor = floor_of(ctx)
    for kind in ModelKind:
        versions = [row for row in at_work(ctx, kind) if row.data_until <= at]
        if not versions and at < ctx.now() - TOO_OLD:
            continue  # of that instant no model may speak: it would know what came later
        answers = [_answers(version, given, floor, compute) for version in versions]
        done.forecasts += keep(
            ctx, kind=kind, at=at, answers=answers, known=given.known, only=only
        )
    arrange_fleet(ctx, only=only)
    done.assets = len(given.known.running)
    if at >= ctx.now() - TOO_OLD:
        tell_plans(ctx, at=at, only=only)
        found = act(ctx, at=at, only=only)
        done.warnings, done.orders = found.warnings, found.orders
    return done


def _answers(version: ModelVersion, given: Material, floor: Floor, compute: str) -> Answers:
    taught = Taught(version.kind, version.parameters, version.artifact)
    said = ask(taught, given, compute)
    return Answers(
        version.id,
        version.version,
        version.state,
        said,
        [asks_for_work(version.kind, one, floor) for one in said],
    )


__all__ = ["Done", "foretell_all", "foretell_some", "train_kind"]
