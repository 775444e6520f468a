"""The hospital while it is being made: its people, places and things, its clock and its dice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apm.assets.model import Asset, Department, Location
from apm.core.codes import ALPHABET, LENGTH
from apm.core.command import Actor
from apm.core.permissions import Role

if TYPE_CHECKING:
    from seed.demo.repairs import Repair, Times
    from seed.demo.upkeep import Upkeep

SEED = 20261122
ZONE = ZoneInfo("Asia/Shanghai")
YEARS = 2
"""How far back the records go: the day the hospital began to use the program."""


@dataclass(frozen=True, slots=True)
class Person:
    """One of the five, with what they need to act."""

    key: str
    role: Role
    name: str
    name_zh: str
    actor: Actor

    @property
    def id(self) -> int:
        """The person's row."""
        if self.actor.user_id is None:
            raise ValueError(f"{self.key} is no person")
        return self.actor.user_id


@dataclass(slots=True, eq=False)
class Unit:
    """One piece of equipment as the story plans it; its row comes when the story gets there."""

    category: str
    department: str
    room: str
    maker: str
    model: str
    serial: str
    bought: date
    in_service: date
    warranty: date
    cost: int
    """fen"""
    frailty: float
    """How many times more often it fails than its like."""
    code: str
    registered_at: datetime
    is_busy: bool = False
    """Something of today's story happens to it."""
    asset: Asset | None = None

    @property
    def row(self) -> Asset:
        """The asset, once it is registered."""
        if self.asset is None:
            raise ValueError(f"{self.code} is not registered yet")
        return self.asset


@dataclass(slots=True)
class World:
    """Everything made so far."""

    now: datetime
    people: dict[str, Person]
    system: Actor
    visitor: Actor
    rng: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311  (a story, no secret)
    departments: dict[str, Department] = field(default_factory=dict)
    rooms: dict[str, Location] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    repairs: list[tuple[Repair, Times]] = field(default_factory=list)
    visits: list[tuple[Upkeep, datetime]] = field(default_factory=list)
    """Maintenance that was done, and when."""
    instruments: dict[str, int] = field(default_factory=dict)
    """The ids of the workshop's test instruments by model."""
    numbers: dict[str, int] = field(default_factory=dict)
    """How many assets of each category have been registered."""

    @property
    def began(self) -> datetime:
        """When the program was introduced."""
        return self.now - timedelta(days=365 * YEARS)

    @property
    def today(self) -> date:
        """The present day in the hospital."""
        return self.now.astimezone(ZONE).date()

    def of(self, category: str, department: str | None = None) -> list[Unit]:
        """Return the units of a category, in one department if given, in a fixed order."""
        return [
            unit
            for unit in self.units
            if unit.category == category and department in (None, unit.department)
        ]

    def code(self) -> str:
        """Return the next public code: random to look at, yet the same for the same seed."""
        return "".join(self.rng.choice(ALPHABET) for _ in range(LENGTH))


def clock_time(day: date, hour: float) -> datetime:
    """Return an instant on a local day; `hour` may be a fraction."""
    return datetime.combine(day, time(0), ZONE) + timedelta(hours=hour)


def on_duty(at: datetime, rng: Random) -> datetime:
    """Return `at` if the equipment department is there then, else soon after it opens next."""
    local = at.astimezone(ZONE)
    if 8 <= local.hour < 18:
        return at
    day = local.date() + timedelta(days=1 if local.hour >= 18 else 0)
    return clock_time(day, 8) + timedelta(minutes=rng.uniform(3, 40))
