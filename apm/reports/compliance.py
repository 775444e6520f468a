"""How punctual maintenance was in a month or a year, by department.

A due date stands as it was when its work order was made: work done late moves nothing.  Judged
are the due dates whose window is over; excuses with proof are counted apart, and what is still
open in its window is neither good nor bad yet.  What fell due on equipment that is out of use is
counted as held until it returns; then it is due before use, in time or not, and listed apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset, Department
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.maintenance.holds import still_covers_last_day
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.queries import HELD
from predict.proportion import wilson

S = OccurrenceState
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


@dataclass(frozen=True, slots=True)
class Excused:
    """One due date that was not met for a reason, and what proves it."""

    asset: Asset
    due: date
    outcome: str
    note: str | None = None
    decided_by: str | None = None
    held_since: date | None = None
    held_until: date | None = None


@dataclass(frozen=True, slots=True)
class BeforeUse:
    """One due date that passed on equipment out of use, and was asked for when it was back."""

    asset: Asset
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Compliance:
    """The due dates of a span: all, by department, and those that need a word."""

    total: Punctual
    rows: list[Punctual]
    excused: list[Excused]
    """By reason and day, up to `MOST_EXCUSED`."""
    before_use: list[BeforeUse]
    """Counted in `total`, and listed apart; by day, up to `MOST_EXCUSED`."""


def compliance(ctx: Context, span: Span) -> Compliance:
    """Return all due dates of a span together, and by department, the fullest first."""
    sums = [func.sum(case((fits, 1), else_=0)) for fits in _kinds(hospital_day(ctx))]
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
    held = list(_still_held(ctx, span))
    rows = [_row(found) for found in ctx.session.execute(query)]
    rows = _with_held(rows, [one.asset.department for one in held])
    total = Punctual("", None, *(sum(getattr(row, name) for row in rows) for name in COUNTS))
    rows.sort(key=lambda row: (-row.judged, row.name))
    return Compliance(total, rows, _excused(ctx, span, held), _before_use(ctx, span))


def _still_held(ctx: Context, span: Span) -> Iterator[Excused]:
    """Yield the due dates of a span without a record whose last day fell in a hold that goes on.

    A hold the worker has not seen yet counts as if it had.
    """
    today = hospital_day(ctx)
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
        since = plan.held_since or date.min
        while due < span.after and due + grace < today:
            if due >= span.first and due + grace >= since:
                yield Excused(plan.asset, due, "held", held_since=plan.held_since)
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


def _excused(ctx: Context, span: Span, held: list[Excused]) -> list[Excused]:
    is_away = and_(_is_open_past(hospital_day(ctx)), still_covers_last_day())
    query = (
        _listed(span)
        .where(or_(Occurrence.state == S.EXCUSED, is_away))
        .order_by(Occurrence.outcome, Occurrence.due, Occurrence.id)
    )
    recorded = [
        Excused(
            asset, one.due, one.outcome or "held", one.note, one.decided_by,
            one.held_since or (None if one.outcome else plan.held_since), one.held_until,
        )
        for one, asset, plan in ctx.session.execute(query)
    ]  # fmt: skip
    return sorted([*recorded, *held], key=lambda one: (one.outcome, one.due))[:MOST_EXCUSED]


def _before_use(ctx: Context, span: Span) -> list[BeforeUse]:
    query = (
        _listed(span)
        .where(Occurrence.held_since.is_not(None), Occurrence.state != S.EXCUSED)
        .where(Occurrence.state != S.CANCELLED)
        .order_by(Occurrence.due, Occurrence.id)
    )
    return [BeforeUse(asset, one) for one, asset, _plan in ctx.session.execute(query)]


def _listed(span: Span) -> Select[Occurrence, Asset, Plan]:
    return (
        select(Occurrence, Asset, Plan)
        .join(Plan, Occurrence.plan_id == Plan.id)
        .join(Asset, Plan.asset_id == Asset.id)
        .where(Occurrence.due >= span.first, Occurrence.due < span.after)
        .where(Occurrence.is_extra.is_(False))
        .limit(MOST_EXCUSED)
    )


def _row(found: Any) -> Punctual:
    name, name_zh, *counts = found
    return Punctual(name or "", name_zh, *(int(n) for n in counts))


def _is_open_past(today: date) -> ColumnElement[bool]:
    return and_(Occurrence.state == S.OPEN, Occurrence.late_after < today)


def _kinds(today: date) -> list[ColumnElement[bool]]:
    """Return what tells the kinds apart, in the order of `COUNTS`; each due date is of one."""
    is_done, is_excused = Occurrence.state == S.DONE, Occurrence.state == S.EXCUSED
    is_past, is_away = _is_open_past(today), still_covers_last_day()
    return [
        and_(is_done, Occurrence.done_on <= Occurrence.late_after),
        and_(is_done, Occurrence.done_on > Occurrence.late_after),
        Occurrence.state == S.MISSED,
        and_(is_past, not_(is_away)),
        and_(Occurrence.state == S.OPEN, Occurrence.late_after >= today),
        and_(is_excused, Occurrence.outcome == "in_use"),
        and_(is_excused, Occurrence.outcome == "not_located"),
        or_(and_(is_excused, Occurrence.outcome == "held"), and_(is_past, is_away)),
    ]
