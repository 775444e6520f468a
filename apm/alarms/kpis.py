"""The load of alarms as numbers that say how they are counted, and on how many.

An alarm counts when it called somebody; what was silenced or long over does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, select

from apm.assets.model import Asset, Location
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.readings.model import Alarm, Sensor
from apm.readings.reasons import title_of
from predict.alarming.figures import STANDING_S, Load, chatters, load_of
from predict.proportion import wilson

PERIOD = timedelta(days=30)
MOST = 20_000
"""Alarms of a period that are counted at most; more is a flood by any measure."""
LAST = 20
"""Verdicts a rule's share rests on."""
CONFIDENCE = 0.95
BUDGET = 1.0
"""False alarms a sensor and month that a place may have: a policy of ours."""
MONTH = timedelta(days=30)
CHATTER_S = 3600.0
"""Three times within an hour: readings of rooms and refrigerators come minutes apart."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How soon alarms were acknowledged, in minutes; None: none was."""

    n: int
    waiting: int
    median: float | None
    slow: float | None
    """Nine of ten were faster."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One rule of one sensor that came often."""

    sensor: Sensor
    reason: str
    n: int
    share: float
    is_chattering: bool


@dataclass(frozen=True, slots=True)
class Precision:
    """The share of a rule's last verdicts that said: real."""

    reason: str
    real: int
    n: int
    low: float
    high: float

    @property
    def name(self) -> str:
        """The rule in words."""
        return title_of(self.reason)


@dataclass(frozen=True, slots=True)
class PlaceLoad:
    """Alarms of one place: per sensor and month, and how many were judged false."""

    name: str
    sensors: int
    n: int
    per_sensor_month: float
    false: int
    false_per_sensor_month: float

    @property
    def is_over(self) -> bool:
        """Whether it has more false alarms than its budget."""
        return self.false_per_sensor_month > BUDGET


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the page shows, of the period from `start` to `end`."""

    start: datetime
    end: datetime
    load: Load
    standing: int
    chattering: int
    answers: Answers
    actors: list[Actor]
    precision: list[Precision]
    places: list[PlaceLoad]


def figures(ctx: Context) -> Figures:
    """Return the figures of the last 30 days, in a fixed number of statements."""
    end = ctx.now()
    start = end - PERIOD
    rows = _rows(ctx, start)
    points: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        points.setdefault((row.sensor_id, row.reason), []).append(row.announced_at.timestamp())
    bad = {key for key, at in points.items() if chatters(np.array(at), within_s=CHATTER_S)}
    times = np.array([row.announced_at.timestamp() for row in rows], dtype=np.float64)
    return Figures(
        start=start,
        end=end,
        load=load_of(times, start.timestamp(), end.timestamp()),
        standing=_standing(ctx, end),
        chattering=len(bad),
        answers=_answers(rows),
        actors=_actors(ctx, points, bad, len(rows)),
        precision=_precision(ctx),
        places=_places(ctx, rows),
    )


def _rows(ctx: Context, start: datetime) -> Sequence[Any]:
    query = (
        select(
            Alarm.sensor_id,
            Alarm.reason,
            Alarm.announced_at,
            Alarm.acknowledged_at,
            Alarm.active,
            Alarm.is_real,
        )
        .where(Alarm.announced_at >= start)
        .order_by(Alarm.announced_at, Alarm.id)
        .limit(MOST)
    )
    return ctx.session.execute(query).all()


def _standing(ctx: Context, end: datetime) -> int:
    query = select(func.count(Alarm.id)).where(
        Alarm.active, Alarm.muted.is_(None), Alarm.since < end - timedelta(seconds=STANDING_S)
    )
    return ctx.session.scalar(query) or 0


def _answers(rows: Sequence[Any]) -> Answers:
    taken = [
        (row.acknowledged_at - row.announced_at) / timedelta(minutes=1)
        for row in rows
        if row.acknowledged_at is not None and row.acknowledged_at >= row.announced_at
    ]
    waiting = sum(1 for row in rows if row.acknowledged_at is None and row.active)
    if not taken:
        return Answers(0, waiting, None, None)
    median, slow = np.quantile(taken, [0.5, 0.9])
    return Answers(len(taken), waiting, float(median), float(slow))


def _actors(
    ctx: Context,
    points: dict[tuple[int, str], list[float]],
    bad: set[tuple[int, str]],
    total: int,
) -> list[Actor]:
    often = Counter({key: len(at) for key, at in points.items()}).most_common(10)
    ids = {sensor_id for (sensor_id, _reason), _n in often}
    found = ctx.session.scalars(select(Sensor).where(Sensor.id.in_(ids)))
    sensors = {sensor.id: sensor for sensor in found}
    return [Actor(sensors[key[0]], key[1], n, n / total, key in bad) for key, n in often if n > 1]


def _precision(ctx: Context) -> list[Precision]:
    """Return the last verdicts of each rule; one statement, the newest judged alarms."""
    query = (
        select(Alarm.reason, Alarm.is_real)
        .where(Alarm.is_real.is_not(None))
        .order_by(Alarm.raised_at.desc(), Alarm.id.desc())
        .limit(MOST)
    )
    verdicts: dict[str, list[bool]] = {}
    for reason, is_real in ctx.session.execute(query):
        known = verdicts.setdefault(reason, [])
        if len(known) < LAST:
            known.append(bool(is_real))
    found = []
    for reason, said in sorted(verdicts.items()):
        low, high = wilson(sum(said), len(said), CONFIDENCE)
        found.append(Precision(reason, sum(said), len(said), low, high))
    return found


def _places(ctx: Context, rows: Sequence[Any]) -> list[PlaceLoad]:
    query = (
        select(Sensor.id, Location.name, Location.name_zh, Asset.name, Asset.name_zh)
        .outerjoin(Asset, Asset.id == Sensor.asset_id)
        .outerjoin(Location, Location.id == func.coalesce(Sensor.location_id, Asset.location_id))
    )
    places: dict[str, list[int]] = {}
    for sensor_id, place, place_zh, asset, asset_zh in ctx.session.execute(query):
        name = choose(place, place_zh) or choose(asset, asset_zh) or _("No place")
        places.setdefault(name, []).append(sensor_id)
    months = PERIOD / MONTH
    raised = Counter(row.sensor_id for row in rows)
    false = Counter(row.sensor_id for row in rows if row.is_real is False)
    found = []
    for name, ids in places.items():
        n, wrong = sum(raised[i] for i in ids), sum(false[i] for i in ids)
        shared = len(ids) * months
        found.append(PlaceLoad(name, len(ids), n, n / shared, wrong, wrong / shared))
    return sorted((p for p in found if p.n), key=lambda p: (-p.per_sensor_month, p.name))
