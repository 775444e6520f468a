"""How punctual maintenance was in a month or a year, by department.

A due date stands as it was when its work order was made: work done late moves nothing.  Judged
are the due dates whose window is over; excuses with proof are counted apart, and what is still
open in its window is neither good nor bad yet.  What fell due on equipment that is out of use
gets its record when it returns; until then it is counted as held all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset, Department
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.queries import HELD, today_of
from predict.proportion import wilson

S = OccurrenceState
EXCUSES = ("in_use", "not_located", "held")
FIRST_YEAR, LAST_YEAR = 1990, 2200
MONTHS = 12
MOST_EXCUSED = 500


@dataclass(frozen=True, slots=True)
class Span:
    """A month, or a year where there is no month; both days inclusive."""

    year: int
    month: int | None = None

    def __post_init__(self) -> None:
        """Refuse a month that no calendar has."""
        if not FIRST_YEAR <= self.year <= LAST_YEAR or not 1 <= (self.month or 1) <= MONTHS:
            raise Invalid(_l("Choose a month and a year."))

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, self.month or 1, 1)

    @property
    def after(self) -> date:
        """The first day after it."""
        if self.month is None or self.month == MONTHS:
            return date(self.year + 1, 1, 1)
        return date(self.year, self.month + 1, 1)


@dataclass(frozen=True, slots=True)
class Punctual:
    """The due dates of one department, or of all."""

    name: str
    name_zh: str | None
    in_time: int
    late: int
    missed: int
    overdue: int
    pending: int
    in_use: int
    not_located: int
    held: int

    @property
    def judged(self) -> int:
        """Due dates whose window is over and that are not excused."""
        return self.in_time + self.late + self.missed + self.overdue

    @property
    def excused(self) -> int:
        """Due dates not met for a reason that counts."""
        return self.in_use + self.not_located + self.held

    @property
    def share(self) -> float | None:
        """How many of the judged were met in time, 0 to 1; None where none is judged."""
        return self.in_time / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """90 % limits of the share (Wilson)."""
        return wilson(self.in_time, self.judged) if self.judged else None


COUNTS = tuple(Punctual.__dataclass_fields__)[2:]


def compliance(ctx: Context, span: Span) -> tuple[Punctual, list[Punctual]]:
    """Return all due dates of a span together, and by department, the fullest first."""
    sums = [func.sum(case((fits, 1), else_=0)) for fits in _kinds(today_of(ctx))]
    query = (
        select(Department.name, Department.name_zh, *sums)
        .select_from(Occurrence)
        .join(Plan, Occurrence.plan_id == Plan.id)
        .join(Asset, Plan.asset_id == Asset.id)
        .outerjoin(Department, Asset.department_id == Department.id)
        .where(
            Occurrence.due >= span.first,
            Occurrence.due < span.after,
            Occurrence.is_extra.is_(False),
            Occurrence.state != S.CANCELLED,
        )
        .group_by(Department.id, Department.name, Department.name_zh)
    )
    rows = [_row(found) for found in ctx.session.execute(query)]
    rows = _with_held(rows, [asset.department for asset, _due in _still_held(ctx, span)])
    total = Punctual("", None, *(sum(getattr(row, name) for row in rows) for name in COUNTS))
    return total, sorted(rows, key=lambda row: (-row.judged, row.name))


def _still_held(ctx: Context, span: Span) -> Iterator[tuple[Asset, date]]:
    """Yield the due dates of a span whose window has passed on equipment that is out of use."""
    today = today_of(ctx)
    query = (
        select(Plan)
        .join(Plan.asset)
        .where(Plan.is_active, Asset.lifecycle.in_(HELD))
        .where(Plan.next_due < min(span.after, today))
        .options(joinedload(Plan.asset).joinedload(Asset.department))
        .order_by(Plan.next_due, Plan.id)
    )
    for plan in ctx.session.scalars(query):
        due, grace = plan.next_due, timedelta(days=plan.grace_days)
        while due < span.after and due + grace < today:
            if due >= span.first:
                yield plan.asset, due
            if plan.mode is PlanMode.FLOATING:
                break  # the date after this depends on when this one is done
            due = plan.interval.following(plan.anchor, due)


def _with_held(rows: list[Punctual], wards: list[Department | None]) -> list[Punctual]:
    more = Counter((ward.name, ward.name_zh) if ward else ("", None) for ward in wards)
    known = {(row.name, row.name_zh): row for row in rows}
    nothing = dict.fromkeys(COUNTS, 0)
    for (name, name_zh), n in more.items():
        row = known.get((name, name_zh)) or Punctual(name, name_zh, **nothing)
        known[name, name_zh] = replace(row, held=row.held + n)
    return list(known.values())


@dataclass(frozen=True, slots=True)
class Excused:
    """One due date that was not met for a reason, and what proves it."""

    asset: Asset
    due: date
    outcome: str
    note: str | None
    decided_by: str | None


def excused(ctx: Context, span: Span) -> list[Excused]:
    """Return the due dates of a span that are excused, by reason and day, up to `MOST_EXCUSED`."""
    query = (
        select(Occurrence, Asset)
        .join(Plan, Occurrence.plan_id == Plan.id)
        .join(Asset, Plan.asset_id == Asset.id)
        .where(Occurrence.due >= span.first, Occurrence.due < span.after)
        .where(Occurrence.state == S.EXCUSED, Occurrence.is_extra.is_(False))
        .order_by(Occurrence.outcome, Occurrence.due, Occurrence.id)
        .limit(MOST_EXCUSED)
    )
    recorded = [
        Excused(asset, one.due, one.outcome or "", one.note, one.decided_by)
        for one, asset in ctx.session.execute(query)
    ]
    held = [Excused(asset, due, "held", None, None) for asset, due in _still_held(ctx, span)]
    return sorted([*recorded, *held], key=lambda one: (one.outcome, one.due))[:MOST_EXCUSED]


def _row(found: Any) -> Punctual:
    name, name_zh, *counts = found
    return Punctual(name or "", name_zh, *(int(n) for n in counts))


def _kinds(today: date) -> list[ColumnElement[bool]]:
    """Return what tells the kinds apart, in the order of `COUNTS`; each due date is of one."""
    is_done, is_open = Occurrence.state == S.DONE, Occurrence.state == S.OPEN
    is_excused = Occurrence.state == S.EXCUSED
    return [
        and_(is_done, Occurrence.done_on <= Occurrence.late_after),
        and_(is_done, Occurrence.done_on > Occurrence.late_after),
        Occurrence.state == S.MISSED,
        and_(is_open, Occurrence.late_after < today),
        and_(is_open, Occurrence.late_after >= today),
        *(and_(is_excused, Occurrence.outcome == excuse) for excuse in EXCUSES),
    ]
