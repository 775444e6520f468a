"""Foretelling: every model asked about every asset, its answers kept, some of them frozen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apm.core.command import Context
from apm.forecasts.acting import act, asks_for_work, tell_plans
from apm.forecasts.arranging import arrange_fleet
from apm.forecasts.artifact import Unreadable, check
from apm.forecasts.costing import Floor, floor_of
from apm.forecasts.horizons import muted_horizons
from apm.forecasts.keeping import Answers, keep
from apm.forecasts.kinds import Material, Taught, ask, material
from apm.forecasts.model import ModelKind, ModelState, ModelVersion
from apm.forecasts.muting import hides_interval
from apm.forecasts.registry import Standing, at_work, move_model
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
        retire_unreadable(ctx)  # so that it is trained anew in this very run
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
    said: dict[ModelKind, list[Answers]] = {}
    for kind in ModelKind:
        versions = [row for row in at_work(ctx, kind) if row.data_until <= at]
        if not versions and at < ctx.now() - TOO_OLD:
            continue  # of that instant no model may speak: it would know what came later
        if not versions and only is not None:
            continue  # the nightly run says what is missing, from all records
        said[kind] = [
            found
            for version in versions
            if (found := _answers(ctx, version, given, floor, compute))
        ]
    # All are asked before any is kept: were the cluster lost between two kinds, what is kept of
    # the first would look like a night that is done.
    for kind, answers in said.items():
        done.forecasts += keep(
            ctx, kind=kind, at=at, answers=answers, known=given.known, only=only
        )
    arrange_fleet(ctx, only=only)
    done.assets = len(given.known.running)
    if at >= ctx.now() - TOO_OLD:
        tell_plans(ctx, at=at, only=only)
        acted = act(ctx, at=at, only=only)
        done.warnings, done.orders = acted.warnings, acted.orders
    return done


def retire_unreadable(ctx: Context) -> None:
    """Retire each stored model that was changed, or made by another scikit-learn."""
    for version in at_work(ctx):
        try:
            check(version)
        except Unreadable as error:
            _retire(ctx, version, error)


def _retire(ctx: Context, version: ModelVersion, error: Unreadable) -> None:
    log.warning("model %s %s %s: retired", version.kind.value, version.version, error)
    why = Standing(ModelState.RETIRED, {"code": "unreadable", "why": str(error)})
    move_model(ctx, kind=version.kind, version=version.version, standing=why)


def _answers(
    ctx: Context, version: ModelVersion, given: Material, floor: Floor, compute: str
) -> Answers | None:
    try:
        check(version)
        said = ask(Taught(version.kind, version.parameters, version.artifact), given, compute)
    except Unreadable as error:
        _retire(ctx, version, error)
        return None
    return Answers(
        version.id,
        version.version,
        version.state,
        said,
        [asks_for_work(version.kind, one, floor) for one in said],
        hides_interval(version),
        muted_horizons(version),
    )


__all__ = ["Done", "foretell_all", "foretell_some", "train_kind"]
