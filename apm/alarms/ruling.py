"""Which rules hold on a sensor: as shipped, then as the hospital says, then for this sensor."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import nan
from typing import Protocol

from sqlalchemy import Select, select

from apm.alarms.catalogue import Spec, shipped
from apm.alarms.model import AlarmRule
from apm.core.command import Context
from apm.core.many import among
from apm.readings.model import AlarmKind
from apm.work.states import Priority
from predict.alarming.rules import MICROSECONDS, Kind, Rule

HOLDS_S = (600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""How long a reading may speak; the first that is at least three usual intervals."""
UNKNOWN_HOLD_S = 3600
"""While the interval is not known."""
COUNTED_AS = {
    AlarmKind.HIGH: Kind.HIGH,
    AlarmKind.LOW: Kind.LOW,
    AlarmKind.DEW_POINT: Kind.LOW,
    AlarmKind.RATE: Kind.RATE,
    AlarmKind.OUT_OF_RANGE: Kind.OUTSIDE,
    AlarmKind.SPIKE: Kind.SPIKE,
    AlarmKind.FLATLINE: Kind.FLAT,
}


class Ruled(Protocol):
    """What rules depend on: a sensor, or these columns of one."""

    @property
    def id(self) -> int:
        """Which sensor."""

    @property
    def profile(self) -> str | None:
        """Of `seed/environment.yaml`."""

    @property
    def quantity(self) -> str:
        """What it measures."""

    @property
    def unit(self) -> str:
        """In what."""


def rules_of(ctx: Context, sensors: Sequence[Ruled]) -> dict[int, tuple[Spec, ...]]:
    """Return the rules of each sensor by its id, those switched off too, in two statements."""
    return ruled(
        sensors, [row for query in departures(sensors) for row in ctx.session.scalars(query)]
    )


def departures(sensors: Sequence[Ruled]) -> tuple[Select[AlarmRule], Select[AlarmRule]]:
    """Return what reads where the hospital departs from shipped rules: for profiles, for these."""
    ids = [sensor.id for sensor in sensors]
    return (
        select(AlarmRule).where(AlarmRule.profile.is_not(None)),
        select(AlarmRule).where(among(AlarmRule.sensor_id, ids)),
    )


def ruled(sensors: Sequence[Ruled], rows: Iterable[AlarmRule]) -> dict[int, tuple[Spec, ...]]:
    """Return the rules of each sensor by its id, given where the hospital departs from them."""
    by_profile: dict[tuple[str, str], AlarmRule] = {}
    by_sensor: dict[tuple[int, str], AlarmRule] = {}
    for row in rows:
        if row.profile is not None:
            by_profile[row.profile, row.key] = row
        else:
            by_sensor[row.sensor_id or 0, row.key] = row
    own = {sensor_id for sensor_id, _key in by_sensor}
    of_profile: dict[tuple[str | None, str, str], tuple[Spec, ...]] = {}
    found = {}
    for sensor in sensors:
        sort = (sensor.profile, sensor.quantity, sensor.unit)
        if sort not in of_profile:
            name = sensor.profile or ""
            base = shipped(*sort)
            if by_profile:
                base = tuple(_changed(spec, by_profile.get((name, spec.key))) for spec in base)
            of_profile[sort] = base
        specs = of_profile[sort]
        if sensor.id in own:
            specs = tuple(_changed(spec, by_sensor.get((sensor.id, spec.key))) for spec in specs)
        found[sensor.id] = specs
    return found


def _changed(spec: Spec, row: AlarmRule | None) -> Spec:
    if row is None:
        return spec
    return replace(
        spec,
        is_on=row.is_on,
        limit=spec.limit if row.limit is None else row.limit,
        deadband=spec.deadband if row.deadband is None else row.deadband,
        on_delay_s=spec.on_delay_s if row.on_delay_s is None else row.on_delay_s,
        off_delay_s=spec.off_delay_s if row.off_delay_s is None else row.off_delay_s,
        priority=spec.priority if row.priority is None else Priority(row.priority),
        opens_work=spec.opens_work or (spec.limit is None and row.limit is not None),
        own=row.reason,
    )


def hold_of(interval_s: float | None) -> int:
    """Return how long a reading of a sensor with this interval speaks, in seconds.

    >>> hold_of(10.0), hold_of(3600.0), hold_of(None)
    (600, 10800, 3600)
    """
    if interval_s is None:
        return UNKNOWN_HOLD_S
    return next((hold for hold in HOLDS_S if hold >= 3 * interval_s), HOLDS_S[-1])


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of some sensors, ready to be counted.

    plain, dew: key and rule of what is counted on the readings, and on the dew-point margin.
    context_us: how much of the time before the reading judged last they look back.
    prints: the fingerprint of the rules.
    """

    specs: tuple[Spec, ...]
    plain: tuple[tuple[str, Rule], ...]
    dew: tuple[tuple[str, Rule], ...]
    context_us: int
    prints: str


class Plans:
    """Makes plans; thousands of sensors share a few tuples of rules, known by identity."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Plan] = {}

    def of(self, specs: tuple[Spec, ...], hold_s: int) -> Plan:
        """Return the plan of these rules where a reading speaks for so long."""
        key = (id(specs), hold_s)  # (the plan keeps the tuple, so that nothing takes its place)
        if key not in self._known:
            self._known[key] = _plan(specs, hold_s)
        return self._known[key]


def _plan(specs: tuple[Spec, ...], hold_s: int) -> Plan:
    found = [(spec, counted(spec, hold_s)) for spec in specs if spec.is_counted]
    is_dew = [spec.kind is AlarmKind.DEW_POINT for spec, _rule in found]
    return Plan(
        specs,
        tuple((s.key, rule) for (s, rule), dew in zip(found, is_dew, strict=True) if not dew),
        tuple((s.key, rule) for (s, rule), dew in zip(found, is_dew, strict=True) if dew),
        max((rule.context_us for _spec, rule in found), default=0),
        fingerprint(specs),
    )


@lru_cache(maxsize=4096)
def counted(spec: Spec, hold_s: int) -> Rule:
    """Return a rule as `predict.alarming` counts it."""
    limit = spec.limit if spec.limit is not None else nan
    return Rule(
        kind=COUNTED_AS[spec.kind],
        limit=limit,
        low_limit=nan if spec.low_limit is None else spec.low_limit,
        deadband=spec.deadband,
        is_inclusive=spec.is_inclusive,
        on_delay_us=spec.on_delay_s * MICROSECONDS,
        off_delay_us=spec.off_delay_s * MICROSECONDS,
        is_cumulative=spec.is_cumulative,
        rest_us=None if spec.rest_s is None else spec.rest_s * MICROSECONDS,
        hold_us=hold_s * MICROSECONDS,
    )


def fingerprint(specs: Iterable[Spec]) -> str:
    """Return a text by which a change of any counted rule is seen: `high:1a2b3c4d low:...`."""
    return " ".join(f"{spec.key}:{_digest(spec)}" for spec in specs if spec.is_counted)


@lru_cache(maxsize=4096)
def _digest(spec: Spec) -> str:
    return hashlib.sha256(repr(counted(spec, UNKNOWN_HOLD_S)).encode()).hexdigest()[:8]


def unchanged(before: str, now: str) -> frozenset[str]:
    """Return the keys of the rules that two fingerprints have in common.

    >>> sorted(unchanged("high:1 low:2", "high:1 low:3 rate:4"))
    ['high']
    """
    return frozenset(part.partition(":")[0] for part in {*before.split()} & {*now.split()})
