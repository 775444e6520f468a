"""Two stocktakes: one finished three weeks ago, one going on now."""

from __future__ import annotations

from datetime import datetime, timedelta

from apm.assets.commands import advance
from apm.assets.model import Asset
from apm.core.command import Context
from apm.stocktake.model import Expectation, Found, Scan, Stocktake
from apm.tickets.numbers import next_number
from seed.demo.diary import Diary
from seed.demo.world import Unit, World

FINISHED, OPEN = "Respiratory medicine", "Emergency"
STRANGE_CODE = "ZZZZ0000"


class Count:
    """One stocktake of one department as it is made."""

    def __init__(self, world: World, department: str) -> None:
        self.world, self.department = world, department
        self.stocktake: Stocktake | None = None

    @property
    def made(self) -> Stocktake:
        """The stocktake, once begun."""
        if self.stocktake is None:
            raise ValueError("this count has not begun")
        return self.stocktake

    def begin(self, ctx: Context) -> None:
        """Freeze what should be there."""
        units = self._units()
        self.stocktake = Stocktake(
            no=next_number(ctx, "ST"),
            department_id=self.world.departments[self.department].id,
            started_by=ctx.actor.name,
            started_at=ctx.now(),
            expected=len(units),
        )
        ctx.session.add(self.stocktake)
        ctx.session.flush()  # what is expected needs its id
        ctx.session.add_all(
            Expectation(stocktake_id=self.stocktake.id, asset_id=unit.row.id) for unit in units
        )

    def scan_own(self, ctx: Context, *, leave_out: int, most: int = 10**6) -> None:
        """Scan what is there: all but the last few, or the first `most`."""
        units = self._units()
        for unit in units[: len(units) - leave_out][:most]:
            self._scan(ctx, unit.code, unit.row, Found.EXPECTED)

    def scan_strange(self, ctx: Context, other: Unit) -> None:
        """Scan what belongs elsewhere, and a label nobody knows."""
        self._scan(ctx, other.code, other.row, Found.UNEXPECTED)
        self._scan(ctx, STRANGE_CODE, None, Found.UNKNOWN)

    def finish(self, ctx: Context) -> None:
        """Say that everything was looked at."""
        self.made.finished_at, self.made.finished_by = ctx.now(), ctx.actor.name

    def _units(self) -> list[Unit]:
        return [u for u in self.world.units if u.department == self.department and u.asset]

    def _scan(self, ctx: Context, code: str, asset: Asset | None, found: Found) -> None:
        ctx.session.add(
            Scan(
                stocktake_id=self.made.id,
                code=code,
                asset_id=asset.id if asset else None,
                found=found,
                scanned_by=ctx.actor.name,
                scanned_at=ctx.now(),
            )
        )


def note_counting(world: World, diary: Diary) -> Unit:
    """Write both stocktakes into the diary; return the unit that the first did not find."""
    old, fresh = Count(world, FINISHED), Count(world, OPEN)
    chen, wang = world.people["chen"].actor, world.people["wang"].actor
    guest = world.of("INFP", "Cardiology")[0]
    lost = [unit for unit in world.units if unit.department == FINISHED][-1]
    past, today = world.now - timedelta(days=21), world.now - timedelta(minutes=55)
    diary.note(past, chen, "stocktake.start", old.begin)
    diary.note(
        _after(past, 20), chen, "stocktake.scan", lambda ctx: old.scan_own(ctx, leave_out=1)
    )
    diary.note(
        _after(past, 30), chen, "stocktake.scan", lambda ctx: old.scan_strange(ctx, guest)
    )
    diary.note(_after(past, 40), wang, "stocktake.finish", old.finish)
    diary.note(
        _after(past, 60), wang, "asset.advance",
        lambda ctx: advance(ctx, code=lost.code, action="report_missing"),
    )  # fmt: skip
    diary.note(today, chen, "stocktake.start", fresh.begin)
    diary.note(
        _after(today, 15), chen, "stocktake.scan",
        lambda ctx: fresh.scan_own(ctx, leave_out=0, most=17),
    )  # fmt: skip
    lost.is_busy = True
    return lost


def _after(at: datetime, minutes: int) -> datetime:
    return at + timedelta(minutes=minutes)
