"""A hospital's records as of an instant, as lives and logs of events, for models to learn from.

Nothing later than the instant is used: not what happened later, and not what was found out later
about what happened before (see `asof`).  Times are days since 1970 in UTC, as floats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from math import inf

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from apm.assets.model import Risk
from apm.core.command import Context
from apm.core.many import among
from apm.core.registry import Registry
from apm.forecasts.asof import (
    IN_OPERATION,
    AssetThen,
    OrderThen,
    assets_then,
    orders_then,
    rows_then,
)
from apm.parts.model import Part, StockMove
from apm.parts.queries import used_parts
from apm.readings.model import Alarm, Sensor
from apm.work.causes import causes
from apm.work.model import WorkOrder
from apm.work.states import WorkType
from predict.survival import Lives

Days = NDArray[np.float64]
DAY_S = 86400.0
NEW_WITHIN = 60.0
"""Registered within so many days of its first use it counts as watched from new."""
SHORTEST = 0.01
"""Days; a stretch shorter than a quarter of an hour is no life."""
NONE: Days = np.empty(0)
Log = Callable[[Context, datetime, Sequence[int] | None], Mapping[int, Sequence[float]]]
LOGS: Registry[Log] = Registry("logs")
"""Further logs of events: whoever keeps one says when what happened, in days, by asset."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One asset as it was known.

    spans: stretches in operation and under watch, in order.  failures: when each began;
    `reported`: when it became known; both of shape (n,).  renewals: planned replacements of a
    part, and what planned work found and had mended.  upkeep: planned work done.  logs: other
    events by kind (`alarms`, ...).  All sorted.
    """

    id: int
    category: str
    make: str
    """Category, manufacturer and model in one word: what its failures are pooled by."""
    risk: Risk
    origin: float
    """When its first life began: when it was new, else when it was registered."""
    is_from_new: bool
    known_at: float
    spans: list[tuple[float, float]]
    is_running: bool
    is_down: bool
    """A repair of it is open."""
    failures: Days = field(default_factory=lambda: NONE)
    reported: Days = field(default_factory=lambda: NONE)
    renewals: Days = field(default_factory=lambda: NONE)
    upkeep: Days = field(default_factory=lambda: NONE)
    logs: Mapping[str, Days] = field(default_factory=dict)

    @property
    def since(self) -> float:
        """When its present life began: its last failure or renewal, else `origin`."""
        return max(
            self.failures[-1] if len(self.failures) else -inf,
            self.renewals[-1] if len(self.renewals) else -inf,
            self.origin,
        )

    def lives(self) -> list[tuple[float, float, bool]]:
        """Return its watched lives: age at entry, age at exit, whether it failed there.

        A failure or a renewal ends one and begins the next; time away is left out.
        """
        ends = [(t, True) for t in self.failures.tolist()]
        ends += [(t, False) for t in self.renewals.tolist()]
        found, began = [], self.origin
        for end, failed in [*sorted(ends), (inf, False)]:
            for start, stop in self.spans:
                entry, leave = max(start, began), min(stop, end)
                if leave - entry > SHORTEST:
                    found.append((entry - began, leave - began, failed and leave == end))
            began = max(began, end)
        return found


@dataclass(frozen=True, slots=True)
class Histories:
    """All that was known of a hospital at `at`; `first`: when its records begin (days)."""

    at: datetime
    now: float
    units: list[Unit]

    @property
    def first(self) -> float:
        """When the records begin."""
        return min((unit.known_at for unit in self.units), default=self.now)

    @property
    def running(self) -> list[Unit]:
        """The units in operation then."""
        return [unit for unit in self.units if unit.is_running]

    @property
    def failures(self) -> int:
        """Failures of all units."""
        return sum(len(unit.failures) for unit in self.units)

    def lives(self) -> dict[str, dict[str, Lives]]:
        """Return watched lives by make by category; a make never watched has empty ones."""
        rows: dict[str, dict[str, list[tuple[float, float, bool]]]] = defaultdict(dict)
        for unit in self.units:
            rows[unit.category].setdefault(unit.make, []).extend(unit.lives())
        return {
            category: {make: _lives(own) for make, own in makes.items()}
            for category, makes in rows.items()
        }


def histories(ctx: Context, at: datetime, only: Sequence[int] | None = None) -> Histories:
    """Return the records of the hospital as they stood at `at`, in ten statements.

    Args:
        ctx: whose hospital.
        at: the instant; nothing later is used.
        only: ids of assets, for a few of them.
    """
    assets = assets_then(ctx, at, only)
    orders: dict[int, list[OrderThen]] = defaultdict(list)
    for order in orders_then(ctx, at, only):
        orders[order.asset_id].append(order)
    renewed = _renewed(ctx, at)
    logs = {name: log(ctx, at, only) for name, log in LOGS.items()}
    now = days_of(at)
    units = [
        _unit(
            asset,
            orders.get(asset.id, []),
            renewed,
            now,
            {n: g.get(asset.id, ()) for n, g in logs.items()},
        )
        for asset in assets
    ]
    return Histories(at, now, units)


def days_of(at: datetime) -> float:
    """Return an instant as days since 1970.

    >>> days_of(datetime(1970, 1, 2, 12, tzinfo=UTC))
    1.5
    """
    return at.timestamp() / DAY_S


def alarms_of(ctx: Context, at: datetime, only: Sequence[int] | None) -> dict[int, list[float]]:
    """Return when alarms of each asset's sensors were noticed, up to `at`."""
    noticed = func.coalesce(Alarm.noticed_at, Alarm.raised_at)
    query = (
        select(Sensor.asset_id, noticed)
        .join(Sensor, Sensor.id == Alarm.sensor_id)
        .where(Sensor.asset_id.is_not(None), noticed <= at)
        .order_by(noticed)
    )
    if only is not None:
        query = query.where(Sensor.asset_id.in_(only))
    found: dict[int, list[float]] = defaultdict(list)
    for asset_id, when in ctx.session.execute(query):
        found[asset_id or 0].append(days_of(when))
    return found


LOGS.add("alarms", alarms_of)


def _renewed(ctx: Context, at: datetime) -> set[int]:
    """Return the ids of predictive orders that had used a spare part by `at`.

    What came back unused renews nothing, nor does a consumable.
    """
    query = (
        used_parts()
        .join(WorkOrder, WorkOrder.id == StockMove.work_order_id)
        .where(WorkOrder.type == WorkType.PREDICTIVE, StockMove.at <= at)
    )
    used = [(order_id, part_id) for order_id, part_id in ctx.session.execute(query) if order_id]
    if not used:
        return set()
    parts = select(Part).where(among(Part.id, {part_id for _order, part_id in used}))
    spares = {part.id for part in rows_then(ctx, parts, Part, at) if not part.is_consumable}
    return {order_id for order_id, part_id in used if part_id in spares}


def _unit(
    asset: AssetThen,
    orders: Sequence[OrderThen],
    renewed: set[int],
    now: float,
    logs: Mapping[str, Sequence[float]],
) -> Unit:
    known = days_of(asset.known_at)
    new = None if asset.new_on is None else _days_of_day(asset.new_on)
    from_new = new is not None and known - NEW_WITHIN <= new <= now
    origin = new if from_new and new is not None else known
    failed = _failures(orders, now)
    done = [
        (o, days_of(o.done_at)) for o in orders if o.done_at and o.type is not WorkType.CORRECTIVE
    ]
    mended = [days_of(o.done_at) for o in orders if o.is_follow_up and o.done_at]
    return Unit(
        id=asset.id,
        category=asset.category,
        make="|".join((asset.category, *asset.make)),
        risk=asset.risk,
        origin=origin,
        is_from_new=from_new,
        known_at=known,
        spans=_spans(asset, max(known, origin), now),
        is_running=asset.lifecycle in IN_OPERATION,
        is_down=any(o.type is WorkType.CORRECTIVE and o.done_at is None for o in orders),
        failures=np.array([began for began, _known in failed]),
        reported=np.array([reported for _began, reported in failed]),
        renewals=np.sort(
            [*(when for o, when in done if o.id in renewed and when <= now), *mended]
        ),
        upkeep=np.sort([when for _o, when in done if when <= now]),
        logs={name: np.sort(np.asarray(times, dtype=np.float64)) for name, times in logs.items()},
    )


def _failures(orders: Sequence[OrderThen], now: float) -> list[tuple[float, float]]:
    """Return when failures began and when they were reported, by when they began.

    A report while the repair of another still goes on is the same failure.  What planned work
    found was mended before it failed in service: it renews a unit, and is none.
    """
    none = {code for code, cause in causes().items() if not cause.is_failure}
    rows = sorted(
        (days_of(o.began_at), days_of(o.created_at), days_of(o.done_at) if o.done_at else inf)
        for o in orders
        if o.type is WorkType.CORRECTIVE and o.cause_code not in none and not o.is_follow_up
    )
    found, restored = [], -inf
    for began, reported, done in rows:
        if restored < began <= now:
            found.append((began, reported))
        restored = max(restored, done)
    return found


def _days_of_day(day: date) -> float:
    return days_of(datetime.combine(day, time(), UTC))


def _spans(asset: AssetThen, start: float, now: float) -> list[tuple[float, float]]:
    """Return when it was in operation between start and now."""
    moves = [(days_of(when), runs) for when, runs in asset.moves]
    if not moves:
        return [(start, now)] if asset.lifecycle in IN_OPERATION and start < now else []
    # Before the first move it was in the other state; registration counts as a move where away.
    runs, since, found = not moves[0][1], start, []
    for when, after in [*moves, (now, not moves[-1][1])]:
        if runs and when > since:
            found.append((since, when))
        runs, since = after, max(start, when)
    return found


def _lives(rows: Sequence[tuple[float, float, bool]]) -> Lives:
    return Lives(
        np.array([row[1] for row in rows], dtype=np.float64),
        np.array([row[2] for row in rows], dtype=np.bool_),
        np.array([row[0] for row in rows], dtype=np.float64),
    )
