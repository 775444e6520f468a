"""Rules of sensors that call in vain too often, and what limit would have kept the budget.

A rule is only ever proposed another limit: a person changes it, with a reason.  Limits of products
and rooms stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.catalogue import Spec, shipped
from apm.alarms.ruling import rules_of
from apm.core.command import Context
from apm.readings.model import Alarm, AlarmKind, Sensor
from predict.alarming.quieting import is_over_budget, quieter_limit

WINDOW = timedelta(days=90)
MONTHS = 3.0
SHOWN = 50
REGULATED = frozenset({"high", "high_total", "hot", "low", "freeze"})
"""Rules whose shipped limit is that of a product or a room; what a hospital set itself is not."""
UPPER = frozenset({AlarmKind.HIGH, AlarmKind.RATE})


@dataclass(frozen=True, slots=True)
class TooLoud:
    """A rule of one sensor with more false alarms than its budget in three months.

    proposed: the limit that would have kept the budget; None: none, or a limit that must stay.
    """

    sensor: Sensor
    spec: Spec
    false: int
    real: int
    proposed: float | None
    is_regulated: bool


def over_budget(ctx: Context) -> list[TooLoud]:
    """Return the rules that call in vain too often, the worst first, in four statements."""
    query = select(Alarm.sensor_id, Alarm.rule, Alarm.is_real, Alarm.peak).where(
        Alarm.kind != AlarmKind.ANOMALY,
        Alarm.is_real.is_not(None),
        Alarm.raised_at > ctx.now() - WINDOW,
    )
    said: dict[tuple[int, str], list[tuple[bool, float | None]]] = defaultdict(list)
    for sensor_id, rule, is_real, peak in ctx.session.execute(query):
        said[sensor_id, rule].append((bool(is_real), peak))
    loud = {
        key: verdicts
        for key, verdicts in said.items()
        if is_over_budget(sum(not is_real for is_real, _peak in verdicts), MONTHS)
    }
    worst = sorted(loud, key=lambda key: (-len(loud[key]), key))[:SHOWN]
    ids = {sensor_id for sensor_id, _rule in worst}
    places = joinedload(Sensor.asset), joinedload(Sensor.location)
    found = ctx.session.scalars(select(Sensor).where(Sensor.id.in_(ids)).options(*places))
    sensors = {sensor.id: sensor for sensor in found}
    rules = rules_of(ctx, list(sensors.values()))
    return [
        _too_loud(sensors[sensor_id], spec, loud[sensor_id, rule])
        for sensor_id, rule in worst
        for spec in rules[sensor_id]
        if spec.key == rule
    ]


def _too_loud(
    sensor: Sensor, spec: Spec, verdicts: Sequence[tuple[bool, float | None]]
) -> TooLoud:
    regulated = is_regulated(sensor, spec)
    false = [peak for is_real, peak in verdicts if not is_real and peak is not None]
    real = [peak for is_real, peak in verdicts if is_real and peak is not None]
    wrong = sum(not is_real for is_real, _peak in verdicts)
    return TooLoud(
        sensor,
        spec,
        wrong,
        len(verdicts) - wrong,
        None if regulated else _proposed(spec, false, real),
        regulated,
    )


def is_regulated(sensor: Sensor, spec: Spec) -> bool:
    """Tell whether a rule stands for the limit of a product or a room, as shipped."""
    known = {one.key: one for one in shipped(sensor.profile, sensor.quantity, sensor.unit)}
    return spec.key in REGULATED and spec.key in known and known[spec.key].limit is not None


def _proposed(spec: Spec, false: list[float], real: list[float]) -> float | None:
    if spec.limit is None or spec.kind not in UPPER | {AlarmKind.LOW}:
        return None
    sign = 1.0 if spec.kind in UPPER else -1.0
    found = quieter_limit(
        [sign * peak for peak in false], [sign * peak for peak in real], MONTHS, sign * spec.limit
    )
    return None if found is None else sign * found
