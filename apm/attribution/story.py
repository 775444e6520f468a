"""The days before a failure: curves of the room with their limits, and what happened when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from apm.attribution.excursions import beyond
from apm.attribution.finding import Failure
from apm.attribution.proposing import Assessment
from apm.attribution.surroundings import CLIMATE, sensors_around
from apm.core.command import Context
from apm.core.i18n import _
from apm.labels import label
from apm.readings.blocks import EMPTY, Readings
from apm.readings.checking import instant, microseconds
from apm.readings.days import stored_on
from apm.readings.model import Sensor
from apm.readings.profiles import limits_of
from apm.readings.series import series

BEFORE, AFTER = timedelta(days=4), timedelta(days=1)
MOST_CURVES, POINTS = 3, 300
MOST_WINDOWS = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """One sensor around the failure; `windows` are (from, until, words) outside its limits."""

    sensor: Sensor
    points: list[tuple[datetime, float]]
    low: float | None
    high: float | None
    windows: list[tuple[datetime, datetime, str]]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened; `tone` of the templates."""

    at: datetime
    text: str
    url: str = ""
    tone: str = "idle"


def curves_of(ctx: Context, failure: Failure) -> list[Curve]:
    """Return the curves of the room and of the equipment itself, at most three.

    The readings of all are read at once; only of sensors of which nothing but the hours are kept
    the series is asked one by one.
    """
    start = failure.at - BEFORE
    end = min(ctx.now(), failure.at + AFTER)
    sensors = sorted(sensors_around(ctx, failure.asset), key=_rank)[:MOST_CURVES]
    read = _readings(ctx, [sensor.id for sensor in sensors], start, end)
    found = []
    for sensor in sensors:
        readings = read.get(sensor.id, EMPTY)
        points = _points(readings)
        if sensor.id not in read:
            points = series(ctx, sensor.id, start=start, end=end, most=POINTS).points()
        if len(points) < 2:
            continue
        low, high = limits_of(sensor) or (None, None)
        windows = []
        if low is not None and high is not None:
            seen = beyond(readings, (low, high), start=start, end=end)
            spells = seen.spells[-MOST_WINDOWS:]
            words = [_("Outside"), *[""] * len(spells)]
            windows = [(a, b, word) for (a, b), word in zip(spells, words, strict=False)]
        found.append(Curve(sensor, points, low, high, windows))
    return found


def _readings(ctx: Context, ids: list[int], start: datetime, end: datetime) -> dict[int, Readings]:
    """Return the usable readings of each sensor of which they are all kept: a statement each."""
    days = [start.date() + timedelta(days=k) for k in range((end.date() - start.date()).days + 1)]
    stored = stored_on(ctx, [(sensor_id, day) for sensor_id in ids for day in days])
    thinned = {sensor_id for sensor_id, _day in stored.thinned}
    batch = stored.batch
    times = batch.readings.times
    inside = (times >= microseconds(start)) & (times < microseconds(end))
    return {
        sensor_id: batch.readings.where(inside & (batch.sensor_ids == sensor_id)).usable()
        for sensor_id in ids
        if sensor_id not in thinned
    }


def _points(readings: Readings) -> list[tuple[datetime, float]]:
    """Return at most `POINTS` of them: of each slice the lowest and the highest, in order."""
    chosen = set(range(len(readings)))
    if len(readings) > POINTS:
        edges = np.linspace(0, len(readings), POINTS // 2 + 1).astype(int).tolist()
        chosen = set()
        for a, b in pairwise(edges):
            part = readings.values[a:b]
            chosen |= {a + int(part.argmin()), a + int(part.argmax())}
    kept = readings.where(np.array(sorted(chosen), dtype=np.intp))
    return [
        (instant(at), value)
        for at, value in zip(kept.times.tolist(), kept.values.tolist(), strict=True)
    ]


def _rank(sensor: Sensor) -> tuple[bool, bool, str]:
    """Return what puts the room's climate first, then the mains, then the rest."""
    return sensor.quantity not in CLIMATE, sensor.quantity != "voltage", sensor.code


def marks_of(failure: Failure, assessment: Assessment) -> list[Mark]:
    """Return what happened, oldest first, the failure last."""
    marks = [
        Mark(at, label("evidence_kind", one.kind), one.url, "warn")
        for one in assessment.found
        for at in one.marks
    ]
    marks.append(Mark(failure.at, _("Failure"), f"/work-orders/{failure.order.no}", "bad"))
    return sorted(marks, key=lambda mark: mark.at)


def drawn(curve: Curve, marks: list[Mark]) -> list[tuple[datetime, str]]:
    """Return the mark that is drawn into a curve: the failure; the list below it has them all."""
    first, last = curve.points[0][0], curve.points[-1][0]
    inside = [(mark.at, mark.text) for mark in marks if first <= mark.at <= last]
    return inside[-1:]
