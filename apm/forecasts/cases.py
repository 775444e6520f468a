"""The past situations of this hospital that are most like one now, and what became of them.

A situation is a moment of equipment of the same category, once a month, whose horizon is over; it
is told by what was known at that moment: times since events and counts of them, on a log scale
(a tenth failure says less than the second).  What is near is `predict.why.nearest_cases`; of one
device only the nearest moment counts, so that one bad device is not taken for five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.asof import at_days
from apm.forecasts.compared import Compared
from apm.forecasts.histories import LOGS, Histories, Unit, days_of, histories
from apm.forecasts.moments import NEVER, WINDOWS, Moments, features, groups, moments, paces
from apm.work.model import WorkOrder
from apm.work.states import WorkType
from predict.errors import NotEnoughData
from predict.why import nearest_cases

Array = NDArray[np.float64]
MOST_UNITS = 150
"""Devices of a category looked through; of the same model first."""
CASES = 5
FAILURES_WITHIN, ALARMS_WITHIN = 365.0, 90.0
"""Days whose failures and alarms describe a situation."""
SAME_S = 1.0
"""Seconds by which the beginning of a failure and of its repair may differ by rounding."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What was known of a device at a moment; None: never."""

    age: float
    since_failure: float | None
    failures: int
    alarms: int


@dataclass(frozen=True, slots=True)
class Case:
    """A past situation: of which asset and when, how far away, and when it failed, if it did.

    order: the number of the repair.
    """

    asset: Asset
    at: datetime
    distance: float
    told: Situation
    failed_at: datetime | None
    order: str | None

    @property
    def has_come(self) -> bool:
        """Whether it failed within the horizon."""
        return self.failed_at is not None


@dataclass(frozen=True, slots=True)
class Cases(Compared[Situation, Case]):
    """The nearest moments of other equipment; `units` are devices."""


def peers_of(ctx: Context, asset: Asset, at: datetime) -> Histories:
    """Return the records, as of then, of the asset and of others of its category."""
    is_alike = (Asset.manufacturer == asset.manufacturer) & (Asset.model == asset.model)
    query = (
        select(Asset.id)
        .where(Asset.category == asset.category)
        .order_by((Asset.id == asset.id).desc(), is_alike.is_(True).desc(), Asset.id)
        .limit(MOST_UNITS)
    )
    return histories(ctx, at, list(ctx.session.scalars(query)))


def past_of(known: Histories, days: int) -> Moments:
    """Return the moments of all units, with what came within so many days."""
    return moments(known, days, sorted(LOGS))


def cases_of(ctx: Context, unit: Unit, known: Histories, past: Moments, days: int) -> Cases | None:
    """Return the situations most like a unit's now; None where no past one can be judged yet.

    Args:
        ctx: whose hospital.
        unit: one of `known`.
        known: the records.
        past: the moments of `known`, labelled for so many days.
        days: the horizon.
    """
    kinds = sorted(LOGS)
    found = _judged(past, known.now - days)
    if not len(found.at):
        return None
    pace = paces(known)[unit.category].at(np.array([known.now]))
    row = features(unit, np.array([known.now]), pace, kinds)[0]
    try:
        near = nearest_cases(
            _scaled(row[None])[0], _scaled(found.rows), [str(one) for one in found.unit],
            found.label, n=CASES,
        )  # fmt: skip
    except NotEnoughData:
        return None
    by_id = {one.id: one for one in known.units}
    picked = [(by_id[int(case.unit)], float(found.at[case.row]), case) for case in near]
    failures = {(one.id, at): _failure_after(one, at, days) for one, at, _case in picked}
    assets = _assets(ctx, {one.id for one, _at, _case in picked})
    orders = _orders(ctx, [(one.id, failures[one.id, at]) for one, at, _case in picked])
    nearest = []
    for one, at, case in picked:
        failed = failures[one.id, at]
        nearest.append(
            Case(
                assets[one.id],
                at_days(at),
                case.distance,
                _told(found.rows[case.row], kinds),
                None if failed is None else at_days(failed),
                orders.get((one.id, failed)) if failed is not None else None,
            )
        )
    return Cases(
        days, _told(row, kinds), nearest, int(found.label.sum()), len(found.at),
        len(np.unique(found.unit)),
    )  # fmt: skip


def _judged(found: Moments, until: float) -> Moments:
    """Return the moments whose whole horizon is over: a failure is known before a quiet one."""
    if not len(found.at):
        return found
    keep = found.at <= until
    return Moments(found.rows[keep], found.label[keep], found.unit[keep], found.at[keep])


def _scaled(rows: Array) -> Array:
    """Return features on the scale they are compared on; the pace is a log already."""
    scaled = np.log1p(np.maximum(rows, 0.0))
    scaled[:, 1] = rows[:, 1]
    return scaled


def _told(row: Array, kinds: Sequence[str]) -> Situation:
    failures, alarms = groups(kinds)["failures"], groups(kinds)["alarms"]
    since = float(row[failures[-1]])
    return Situation(
        float(row[0]),
        None if since >= NEVER else since,
        int(row[failures[WINDOWS.index(FAILURES_WITHIN)]]),
        int(row[alarms[WINDOWS.index(ALARMS_WITHIN)]]),
    )


def _failure_after(unit: Unit, at: float, days: int) -> float | None:
    later = unit.failures[(unit.failures > at) & (unit.failures <= at + days)]
    return float(later[0]) if len(later) else None


def _assets(ctx: Context, ids: set[int]) -> dict[int, Asset]:
    found = ctx.session.scalars(select(Asset).where(Asset.id.in_(ids)))
    return {asset.id: asset for asset in found}


def _orders(
    ctx: Context, failures: Sequence[tuple[int, float | None]]
) -> dict[tuple[int, float], str]:
    """Return the repair of each failure, by when it began."""
    wanted = [(asset_id, began) for asset_id, began in failures if began is not None]
    if not wanted:
        return {}
    began_at = func.coalesce(WorkOrder.down_from, WorkOrder.created_at)
    query = select(WorkOrder.asset_id, began_at, WorkOrder.no).where(
        WorkOrder.asset_id.in_({asset_id for asset_id, _began in wanted}),
        WorkOrder.type == WorkType.CORRECTIVE,
    )
    found: dict[tuple[int, float], str] = {}
    for asset_id, began, no in ctx.session.execute(query):
        for one in wanted:
            if one[0] == asset_id and abs(days_of(began) - one[1]) * 86400.0 < SAME_S:
                found[one] = no
    return found
