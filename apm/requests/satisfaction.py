"""How content reporters are: by team, department, category and month, never by person.

What is counted are the stars given when a repair is confirmed.  Silence gives no stars and is
counted beside them.  A group of fewer than five ratings is not shown: a mean of two would tell
who gave them.  Nor is the next larger group where the whole less the others would give it away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from apm.assets.categories import all_categories
from apm.assets.model import Asset, Department
from apm.core.clock import local_day
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _, _l, choose
from apm.requests.model import Request
from apm.teams.model import Team
from apm.teams.queries import zone_of
from apm.work.model import WorkOrder
from predict.proportion import wilson

FEWEST = 5
CONTENT = 4
"""From so many stars on somebody counts as content."""
CONFIDENCE = 0.95
LONGEST, USUAL = timedelta(days=3660), timedelta(days=364)
EARLIEST, LATEST = date(1990, 1, 1), date(2200, 1, 1)
FORMULA = _l(
    "Mean of the stars given (1 to 5), and the share of 4 and 5 stars with Wilson's 95 percent"
    " interval. Groups of fewer than 5 ratings are not shown, nor what would give them away."
)


class By(StrEnum):
    """What ratings are grouped by."""

    TEAM = "team"
    DEPARTMENT = "department"
    CATEGORY = "category"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the hospital, both included."""

    first: date
    last: date
    zone: str

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant falls on one of them."""
        return self.first <= local_day(at, self.zone) <= self.last


@dataclass(frozen=True, slots=True)
class Line:
    """One group.  `mean`, `share` and `interval` are None where they are not shown."""

    key: str | None
    name: str
    n: int | None
    mean: float | None
    share: float | None
    interval: tuple[float, float] | None
    status: str = "ok"
    """`ok`; `too_few`; or `withheld`, as it would give away a group of too few."""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What a period shows."""

    days: Days
    by: By
    total: Line
    lines: list[Line]
    silent: int
    """Confirmed by silence: these gave no stars."""
    reworked: int
    """Repairs that reporters sent back."""


class _Rated(NamedTuple):
    rating: int | None
    at: datetime
    team: int | None
    department: int | None
    category: str


def days_wanted(ctx: Context, first: date | None, last: date | None) -> Days:
    """Return the days asked for; a year up to today where nothing is said.

    Raises:
        Invalid: they end before they begin, or are more than ten years.
    """
    zone = zone_of(ctx)
    end = last or local_day(ctx.now(), zone)
    if EARLIEST <= end <= LATEST:
        begin = first or end - USUAL
        if EARLIEST <= begin <= end <= begin + LONGEST:
            return Days(begin, end, zone)
    message = _l("Give a first day before the last, at most ten years apart.")
    raise Invalid(message, fields={"from": [message]})


def satisfaction(ctx: Context, *, by: By, days: Days) -> Satisfaction:
    """Return how content reporters were, in four statements however much there is."""
    rows = [row for row in _confirmed(ctx, days) if days.holds(row.at)]
    rated = [row for row in rows if row.rating is not None]
    groups: dict[Any, list[int]] = defaultdict(list)
    key = _key_of(by, days)
    for row in rated:
        groups[key(row)].append(row.rating or 0)
    names = _names(ctx, by)
    withheld = _giving_away(groups)
    lines = [_line(k, names(k), stars, is_withheld=k in withheld) for k, stars in groups.items()]
    lines.sort(key=lambda line: (line.name, line.key or ""), reverse=by is By.MONTH)
    total = _line(None, _("All"), [row.rating or 0 for row in rated])
    return Satisfaction(days, by, total, lines, len(rows) - len(rated), _reworked(ctx, days))


def _confirmed(ctx: Context, days: Days) -> Iterable[_Rated]:
    query = (
        select(
            Request.rating,
            Request.verified_at,
            WorkOrder.team_id,
            Asset.department_id,
            Asset.category,
        )
        .join(Asset, Request.asset_id == Asset.id)
        .join(WorkOrder, Request.work_order_id == WorkOrder.id)
        .where(Request.verified_at.is_not(None), *_within(Request.verified_at, days))
    )
    return [
        _Rated(rating, at, team, department, category)
        for rating, at, team, department, category in ctx.session.execute(query)
        if at is not None
    ]


def _within(column: Any, days: Days) -> list[Any]:
    """Return conditions a little wider than the days, which the index can use."""
    zone = ZoneInfo(days.zone)
    begin = datetime.combine(days.first, datetime.min.time(), zone)
    end = datetime.combine(days.last, datetime.max.time(), zone)
    return [column >= begin, column <= end]


def _reworked(ctx: Context, days: Days) -> int:
    query = select(WorkOrder.created_at).where(
        WorkOrder.origin.like("rework:%"), *_within(WorkOrder.created_at, days)
    )
    return sum(days.holds(at) for at in ctx.session.scalars(query))


def _key_of(by: By, days: Days) -> Callable[[_Rated], Any]:
    return {
        By.TEAM: lambda row: row.team,
        By.DEPARTMENT: lambda row: row.department,
        By.CATEGORY: lambda row: row.category,
        By.MONTH: lambda row: local_day(row.at, days.zone).strftime("%Y-%m"),
    }[by]


def _names(ctx: Context, by: By) -> Callable[[Any], str]:
    if by is By.MONTH:
        return str
    if by is By.CATEGORY:
        words = {category.code: category.name for category in all_categories()}
        return lambda key: words.get(key, key)
    model = Team if by is By.TEAM else Department
    rows = ctx.session.execute(select(model.id, model.name, model.name_zh))
    known = {row_id: choose(name, name_zh) for row_id, name, name_zh in rows}
    nothing = _("No team") if by is By.TEAM else _("No department")
    return lambda key: known.get(key, nothing)


def _giving_away(groups: dict[Any, list[int]]) -> set[Any]:
    """Return the groups to hold back, so that the whole less what is shown is no handful."""
    hidden = sum(len(stars) for stars in groups.values() if len(stars) < FEWEST)
    large = [key for key, stars in groups.items() if len(stars) >= FEWEST]
    if not 0 < hidden < FEWEST or not large:
        return set()
    return {min(large, key=lambda key: (len(groups[key]), str(key)))}


def _line(key: Any, name: str, stars: list[int], *, is_withheld: bool = False) -> Line:
    shown = None if key is None else str(key)
    n = len(stars)
    if n < FEWEST or is_withheld:
        status = "withheld" if is_withheld else "too_few"
        return Line(shown, name, None, None, None, None, status)
    content = sum(star >= CONTENT for star in stars)
    return Line(shown, name, n, sum(stars) / n, content / n, wilson(content, n, CONFIDENCE))
