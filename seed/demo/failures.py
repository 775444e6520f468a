"""When things broke in two years: Weibull failure rates with a season, a lemon and honest luck."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from seed.demo.diary import Diary
from seed.demo.repairs import Repair, Times
from seed.demo.scenery import Fault, Kind, faults, kinds, stand_ins
from seed.demo.world import SEED, ZONE, Person, Unit, World, on_duty

QUIET = timedelta(days=4)
"""The last days before today are left to `today.py`."""
LONG_QUIET = timedelta(days=90)
"""The same for what today's story is about."""
YEAR_DAYS = 365.0
YOUNG_YEARS = 0.25
"""Younger than this, a device counts as this old: Weibull's rate starts at zero."""


def note_failures(world: World, diary: Diary) -> None:
    """Write every repair of the past into the diary."""
    for unit in world.units:
        free_from = unit.registered_at
        for failed_at in _failure_times(world, unit):
            if failed_at > free_from:
                free_from = _note_repair(world, diary, unit, failed_at)


def _failure_times(world: World, unit: Unit) -> Iterator[datetime]:
    """Yield the failures of a non-homogeneous Poisson process.

    By thinning: P. A. W. Lewis and G. S. Shedler, Naval Research Logistics Quarterly 26 (1979)
    403-413.
    """
    kind, rng = kinds()[unit.category], world.rng
    most = max(rate_at(kind, unit, world.now), rate_at(kind, unit, unit.registered_at))
    most *= (1 + kind.season) ** 2  # never below the rate, whatever the month
    at = unit.registered_at
    until = world.now - (LONG_QUIET if unit.is_busy else QUIET)
    while (at := at + timedelta(days=rng.expovariate(most) * YEAR_DAYS)) < until:
        if rng.random() * most < rate_at(kind, unit, at):
            yield at


def rate_at(kind: Kind, unit: Unit, at: datetime) -> float:
    """Return failures a year of one device at one instant."""
    local = at.astimezone(ZONE)
    age_years = max((local.date() - unit.in_service).days / YEAR_DAYS, YOUNG_YEARS)
    month = local.month + local.day / 31 - 1.5
    season = 1 + kind.season * math.cos(2 * math.pi * (month - kind.peak_month) / 12)
    return float(kind.rate * unit.frailty * age_years ** (kind.wear - 1) * season)


def _note_repair(world: World, diary: Diary, unit: Unit, failed_at: datetime) -> datetime:
    """Write one repair and return from when on the device may fail again."""
    fault = choose_fault(world, unit)
    times = _times(world, failed_at, fault)
    repair = make_repair(world, unit, fault, times)
    if times.closed is None or times.closed > world.now:
        return world.now
    if unit.category in fault.not_on:
        _make_suit(repair, times)
    repair.note(diary, times)
    return times.closed + timedelta(days=2)


def choose_fault(world: World, unit: Unit) -> Fault:
    """Return what breaks this time."""
    likely = faults(unit.category)
    return world.rng.choices(likely, [fault.weight for fault in likely])[0]


def _make_suit(repair: Repair, times: Times) -> None:
    """Let something else have broken, that the equipment has; by its own dice."""
    rng = Random(f"{SEED} {times.reported.isoformat()}")  # noqa: S311  (a story, no secret)
    likely = stand_ins(repair.unit.category)
    repair.fault = fault = rng.choices(likely, [each.weight for each in likely])[0]
    repair.minutes = rng.randint(*fault.minutes)
    repair.parts = rng.randint(*fault.parts) * 100 if fault.parts else 0
    repair.vendor = rng.randint(*fault.vendor) * 100 if fault.vendor else 0


def make_repair(world: World, unit: Unit, fault: Fault, times: Times) -> Repair:
    """Return the repair of a fault, with its people and its costs in fen."""
    rng = world.rng
    worker = _worker(world, fault)
    days = ((times.done or times.reported) - times.reported) / timedelta(days=1)
    return Repair(
        world=world,
        unit=unit,
        fault=fault,
        worker=worker,
        closer=world.people["zhao" if worker.key == "wang" else "wang"],
        minutes=rng.randint(*fault.minutes),
        parts=rng.randint(*fault.parts) * 100 if fault.parts else 0,
        vendor=rng.randint(*fault.vendor) * 100 if fault.vendor else 0,
        rating=_rating(rng.random(), days),
        has_patient=rng.random() < 0.08,
        is_out_of_use=fault.cause != "NPF" and rng.random() < 0.8,
    )


def _worker(world: World, fault: Fault) -> Person:
    is_big = fault.vendor is not None or fault.minutes[1] > 150
    return world.people["wang" if is_big or world.rng.random() < 0.2 else "chen"]


def _rating(luck: float, days: float) -> int:
    if days > 7:
        return 2 if luck < 0.4 else 3
    if days > 2:
        return 3 if luck < 0.3 else 4
    return 4 if luck < 0.35 else 5


def _times(world: World, failed_at: datetime, fault: Fault) -> Times:
    rng = world.rng
    accepted = on_duty(failed_at + timedelta(minutes=rng.uniform(3, 45)), rng)
    started = on_duty(accepted + timedelta(minutes=rng.uniform(8, 150)), rng)
    waits = resumed = None
    begun = started
    if fault.days:
        waits = started + timedelta(minutes=rng.uniform(20, 60))
        resumed = on_duty(waits + timedelta(days=rng.uniform(*fault.days)), rng)
        begun = resumed
    done = begun + timedelta(minutes=rng.uniform(*fault.minutes) * rng.uniform(1.0, 1.4))
    closed = on_duty(done + timedelta(hours=rng.expovariate(1 / 8)), rng)
    rated = None
    if rng.random() < 0.7:
        # High-risk equipment comes back to the ward when it is approved, not when it is done.
        rated = max(done, closed) + timedelta(hours=rng.uniform(0.1, 40))
    return Times(failed_at, accepted, started, waits, resumed, done, closed, rated)
