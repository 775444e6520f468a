"""How well the promises are kept: shares of what could be judged, always with their number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from apm.core.command import Context
from apm.work.model import WorkOrder
from apm.work.states import WorkState


@dataclass(frozen=True, slots=True)
class Kept:
    """`met` of the `n` clocks that have ended or run out."""

    met: int
    n: int

    @property
    def share(self) -> float | None:
        """The share kept, None when nothing could be judged."""
        return self.met / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Month:
    """How a team kept its promises on what was reported in one month."""

    team_id: int | None
    respond: Kept
    resolve: Kept


def compliance(ctx: Context, month: date, zone: str) -> list[Month]:
    """Return how each team did with the faults reported in the local month of `month`.

    A clock that still runs and is not late yet is not counted, nor is cancelled work.
    """
    first, after = _edges(month, zone)
    now = ctx.now()
    answered = WorkOrder.responded_at.is_not(None)
    repaired = WorkOrder.done_at.is_not(None)
    late_answer = and_(~answered, WorkOrder.respond_by < now)
    late_repair = and_(~repaired, WorkOrder.paused_at.is_(None), WorkOrder.resolve_by < now)
    query = (
        select(
            WorkOrder.team_id,
            _count(and_(answered, WorkOrder.responded_at <= WorkOrder.respond_by)),
            _count(or_(answered, late_answer)),
            _count(and_(repaired, WorkOrder.done_at <= WorkOrder.resolve_by)),
            _count(or_(repaired, late_repair)),
        )
        .where(
            WorkOrder.clock_from >= first,
            WorkOrder.clock_from < after,
            WorkOrder.state != WorkState.CANCELLED,
        )
        .group_by(WorkOrder.team_id)
    )
    return [
        Month(team_id, Kept(a or 0, b or 0), Kept(c or 0, d or 0))
        for team_id, a, b, c, d in ctx.session.execute(query)
    ]


def total(months: list[Month]) -> Month:
    """Return all teams together."""
    return Month(
        None,
        Kept(sum(m.respond.met for m in months), sum(m.respond.n for m in months)),
        Kept(sum(m.resolve.met for m in months), sum(m.resolve.n for m in months)),
    )


def _count(is_so: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((is_so, 1), else_=0))


def _edges(month: date, zone: str) -> tuple[datetime, datetime]:
    first = month.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return _midnight(first, zone), _midnight(after, zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
