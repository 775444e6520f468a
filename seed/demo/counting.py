"""Two stocktakes: one finished three weeks ago, one going on now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from apm.core.command import Context
from apm.stocktake.commands import finish, scan, start
from seed.demo.diary import Diary
from seed.demo.world import Unit, World

FINISHED, OPEN = "Respiratory medicine", "Emergency"
STRANGE_CODE = "ZZZZ0000"
SEEN_SO_FAR = 17


class Count:
    """One stocktake of one department as it is made."""

    def __init__(self, world: World, department: str) -> None:
        self.world, self.department, self.no = world, department, ""

    def begin(self, ctx: Context) -> None:
        """Freeze what should be there."""
        made = start(ctx, department_id=self.world.departments[self.department].id)
        self.no = made.no

    def scan(self, ctx: Context, units: Iterable[Unit]) -> None:
        """Scan these, of those that are registered."""
        for unit in units:
            if unit.asset:
                scan(ctx, no=self.no, code=unit.code)

    def finish(self, ctx: Context) -> None:
        """Say that everything was looked at: what was not found is missing."""
        scan(ctx, no=self.no, code=STRANGE_CODE)
        finish(ctx, no=self.no, update_register=True)


def note_counting(world: World, diary: Diary) -> None:
    """Write both stocktakes into the diary; the last unit of the first is not found."""
    old, fresh = Count(world, FINISHED), Count(world, OPEN)
    there = [unit for unit in world.units if unit.department == FINISHED]
    guest, lost = world.of("INFP", "Cardiology")[0], there[-1]
    lost.is_busy = True
    seen = [*there[:-1], guest]
    chen, wang = world.people["chen"].actor, world.people["wang"].actor
    past, today = world.now - timedelta(days=21), world.now - timedelta(minutes=55)
    minute = timedelta(minutes=1)
    diary.note(past, chen, "stocktake.start", old.begin)
    diary.note(past + 20 * minute, chen, "stocktake.scan", lambda ctx: old.scan(ctx, seen))
    diary.note(past + 45 * minute, wang, "stocktake.finish", old.finish)
    here = [unit for unit in world.units if unit.department == OPEN][:SEEN_SO_FAR]
    diary.note(today, chen, "stocktake.start", fresh.begin)
    diary.note(today + 15 * minute, chen, "stocktake.scan", lambda ctx: fresh.scan(ctx, here))
