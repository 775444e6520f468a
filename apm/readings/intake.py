"""Where those who send into one hospital wait for each other, and learn what is surely new.

A process remembers how far each sensor has come.  What it remembers holds as long as the stamp of
the hospital's row is the one it was read under; what others took in since is in the inbox.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, Select, Table, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from apm.core.command import Context
from apm.core.many import among
from apm.core.storable import is_storable
from apm.readings.batches import sensors_in
from apm.readings.model import Inbox, Intake, Latest, Sensor

NEVER = -(2**62)
"""Stands for no reading yet: every instant is later."""
# Statements on tables, not on classes: each batch runs them, and a class costs thrice as much.
# They name their hospital themselves.
_INTAKE, _INBOX = cast(Table, Intake.__table__), cast(Table, Inbox.__table__)
_PLACE = select(_INTAKE.c.noted, _INTAKE.c.stamp).where(
    _INTAKE.c.hospital_id == bindparam("hospital")
)
_LOCKED = _PLACE.with_for_update()
_COMING = (
    select(_INBOX.c.id, _INBOX.c.sensors, _INBOX.c.newest, _INBOX.c.last_us)
    .where(_INBOX.c.hospital_id == bindparam("hospital"), _INBOX.c.id > bindparam("seen"))
    .order_by(_INBOX.c.id)
)


@dataclass(frozen=True, slots=True)
class Place:
    """The row of a hospital: how far `latest` follows the inbox, and under which stamp."""

    noted: int
    stamp: int


def place(ctx: Context) -> Place | None:
    """Return how far `latest` follows the inbox; None before the first reading of a hospital."""
    row = _here(ctx, _PLACE)
    return None if row is None else Place(*row)


def _here(ctx: Context, query: Select[int, int]) -> Row[int, int] | None:
    return ctx.session.connection().execute(query, {"hospital": ctx.actor.hospital_id}).first()


def lock(ctx: Context) -> Place:
    """Return the same, and keep others from taking readings in until the end of the command."""
    row = _here(ctx, _LOCKED)
    if row is None:
        # Another one may be faster.
        with suppress(IntegrityError), ctx.session.begin_nested():
            ctx.bulk_insert(Intake, [{"noted": 0, "stamp": secrets.randbits(62)}])
        return lock(ctx)
    return Place(*row)


def move(ctx: Context, noted: int | None = None) -> None:
    """Say that `latest.newest_us` was written, and how far it follows the inbox now."""
    values = {"stamp": secrets.randbits(62)} | ({} if noted is None else {"noted": noted})
    query = update(Intake).values(values)
    ctx.session.execute(query, execution_options={"synchronize_session": False})


@dataclass(slots=True)
class _Memory:
    """What a process knows of one hospital, under a stamp and up to a row of the inbox."""

    stamp: int | None = None
    seen: int = 0
    newest: dict[int, int] = field(default_factory=dict)
    """By sensor that was asked for, the newest instant there is."""
    ahead: dict[int, int] = field(default_factory=dict)
    """By sensor, the newest instant in the inbox beyond what is noted."""
    codes: dict[str, int] = field(default_factory=dict)

    def renew(self, here: Place) -> None:
        """Forget what was known under another stamp."""
        if self.stamp != here.stamp:
            self.newest, self.ahead, self.codes = {}, {}, {}
            self.stamp, self.seen = here.stamp, here.noted

    def hear(self, ctx: Context) -> None:
        """Read what came into the inbox since."""
        since = {"hospital": ctx.actor.hospital_id, "seen": self.seen}
        ahead, newest = self.ahead, self.newest
        for number, index, ends, last_us in ctx.session.connection().execute(_COMING, since):
            ids = sensors_in(index)[0].tolist()
            # Rows of before the column was there: later than they are does no harm.
            instants = [last_us] * len(ids) if ends is None else _instants(ends)
            for sensor_id, end in zip(ids, instants, strict=True):
                if end > ahead.get(sensor_id, NEVER):
                    ahead[sensor_id] = end
                if end > newest.get(sensor_id, end):
                    newest[sensor_id] = end
            self.seen = number

    def look_up(self, ctx: Context, sensors: Sequence[int]) -> None:
        """Read the rows of sensors that are not known yet."""
        if missing := [one for one in sensors if one not in self.newest]:
            newest = func.coalesce(Latest.newest_us, NEVER)
            query = select(Latest.sensor_id, newest).where(among(Latest.sensor_id, missing))
            for sensor_id, noted in ctx.session.execute(query):
                self.newest[sensor_id] = max(noted, self.ahead.get(sensor_id, NEVER))


_MEMORIES: WeakKeyDictionary[Any, dict[int | None, _Memory]] = WeakKeyDictionary()
"""By database, of each hospital."""


def _memory(ctx: Context) -> _Memory:
    of_database = _MEMORIES.setdefault(ctx.session.get_bind(), {})
    return of_database.setdefault(ctx.actor.hospital_id, _Memory())


def codes_known(ctx: Context, named: Iterable[object]) -> Mapping[str, int]:
    """Return the id of each of these codes that is a sensor of the hospital; others may be too.

    A sensor keeps its code for ever: whoever changes that must `move` the stamp.
    """
    here = place(ctx)
    memory = _memory(ctx) if here is not None else _Memory()
    codes = memory.codes if here is not None and memory.stamp == here.stamp else {}
    missing = [one for one in named if one not in codes]
    wanted = {one for one in missing if isinstance(one, str) and is_storable(one)}
    if wanted:
        query = select(Sensor.code, Sensor.id).where(among(Sensor.code, wanted))
        for code, sensor_id in ctx.session.execute(query):
            codes[code] = sensor_id
    return codes


def newest(ctx: Context, here: Place, sensors: Sequence[int]) -> NDArray[np.int64]:
    """Return the newest instant there is of each sensor, microseconds since 1970 or `NEVER`.

    Args:
        ctx: whose; inside a command.
        here: what `lock` gave.
        sensors: ids, shape (k,).
    """
    memory = _memory(ctx)
    if _has_put(ctx):
        # What this very transaction took in may be undone: nothing to be remembered.
        memory = _Memory()
    memory.renew(here)
    memory.hear(ctx)
    memory.look_up(ctx, sensors)
    return np.array([memory.newest[one] for one in sensors], dtype=np.int64)


def put(ctx: Context, row: Mapping[str, Any]) -> None:
    """Add a row to the inbox; inside a command."""
    connection = ctx.session.connection()
    connection.execute(insert(_INBOX), {**row, "hospital_id": ctx.actor.hospital_id})
    ctx.session.info["put_in"] = ctx.session.get_transaction()


def _has_put(ctx: Context) -> bool:
    return ctx.session.info.get("put_in") is ctx.session.get_transaction()


def _instants(data: bytes) -> list[int]:
    found: list[int] = np.frombuffer(data, dtype="<i8").tolist()
    return found
