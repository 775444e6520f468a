"""A model that learnt signs, an update that made the signs lie, and the score that silenced it.

Devices wrote errors in the days before they failed, and a model learnt it.  Then new software of
the gateway called each self-test of two kinds of device an error, and lost the real ones.  The
model cried wolf, the work it planned found nothing, and its own score muted it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from apm.attribution.log import add_events
from apm.core.command import Context
from apm.demo.signals import origin_of
from apm.forecasts.model import ModelKind
from seed.demo.diary import Diary
from seed.demo.predicting import (
    NOTHING,
    foretell_now,
    judge_now,
    let_work,
    note_work,
    training,
)
from seed.demo.world import SEED, Unit, World

NOISY = frozenset({"HD", "VENT"})
WARNING_DAYS = (27.0, 21.0, 16.0, 12.0, 9.0, 6.0, 4.0, 2.0, 0.4)
"""Days before a failure at which the device wrote an error: through the month that is foretold,
so that the signs are learnt whatever the days on which the story puts the failures."""
TAUGHT, UPDATED, PUT_RIGHT = 345, 338, 230
"""Days ago."""
EVERY = 3
ROUNDS = ((330, 299), (298, 250))
"""Days ago at which the fleet was foretold, and at which that was judged.

The second time what the engineer decided no longer holds against the score.
"""
CODE = "SELFTEST-FAIL"


def note_signs(world: World, diary: Diary) -> None:
    """Write the logs, the model, its rounds and its end into the diary."""
    today = datetime.fromtimestamp(origin_of(world.now), UTC)
    rng = Random(SEED + 11)  # noqa: S311  (its own dice: the rest of the story stays as it is)

    def on(days: float, hours: float = 10.0) -> datetime:
        return today - timedelta(days=days) + timedelta(hours=hours)

    for repair, times in world.repairs:
        if times.reported < on(UPDATED):
            _note_warnings(world, diary, repair.unit, times.reported, rng)
    for days in range(UPDATED, PUT_RIGHT, -EVERY):
        _note_noise(world, diary, on(days, rng.uniform(1, 8)), rng)
    diary.note(on(TAUGHT), world.system, "model.train", training(ModelKind.SOON))
    diary.note(
        on(TAUGHT, 12), world.people["wang"].actor, "model.decide", let_work(ModelKind.SOON)
    )
    for days, judged in ROUNDS:
        diary.note(on(days), world.system, "forecast.keep", foretell_now)
        note_work(world, diary, None, on(days - 3), NOTHING)
        diary.note(on(judged), world.system, "forecast.judge", judge_now)


def _note_warnings(world: World, diary: Diary, unit: Unit, failed: datetime, rng: Random) -> None:
    times = [failed - timedelta(days=days * rng.uniform(0.8, 1.2)) for days in WARNING_DAYS]
    known = [at for at in times if at > unit.registered_at]
    if known:
        _note_lines(world, diary, known[-1], [(unit.code, at) for at in known])


def _note_noise(world: World, diary: Diary, at: datetime, rng: Random) -> None:
    said = [
        (unit.code, at)
        for unit in world.units
        if unit.category in NOISY and unit.registered_at < at and rng.random() < 0.9
    ]
    _note_lines(world, diary, at, said)


def _note_lines(
    world: World, diary: Diary, at: datetime, said: Iterable[tuple[str, datetime]]
) -> None:
    lines: list[dict[str, Any]] = [
        {"asset": code, "at": when.astimezone(UTC), "code": CODE, "severity": "error",
         "text": None}
        for code, when in said
    ]  # fmt: skip

    def add(ctx: Context) -> None:
        add_events(ctx, lines=lines, source="api")

    diary.note(at, world.system, "device_event.add", add)
