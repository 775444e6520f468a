"""How content reporters are: by team, department, category and month, never by person.

What is counted are the stars given when a repair is confirmed.  Silence gives no stars and is
counted beside them.  A group of fewer than five ratings is not shown: a mean of two would tell
who gave them.  Nor is the next larger group where the whole less the others would give it away.
Periods are whole calendar months that have ended, and of a group only blocks of months with five
ratings or more are counted: else two periods would tell a single rating by their difference.
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

from apm.accounts.queries import zone_of
from apm.assets.categories import all_categories
from apm.assets.model import Asset, Department
from apm.core.clock import local_day
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _, _l, choose
from apm.requests.model import Request
from apm.teams.model import Team
from apm.work.model import WorkOrder
from predict.proportion import wilson

FEWEST = 5
CONTENT = 4
"""From so many stars on somebody counts as content."""
CONFIDENCE = 0.95
LONGEST, USUAL = 120, 12
"""Months."""
EARLIEST, LATEST = date(1990, 1, 1), date(2200, 1, 1)
FORMULA = _l(
    "Mean of the stars given (1 to 5), and the share of 4 and 5 stars with Wilson's 95 percent"
    " interval. Groups of fewer than 5 ratings are not shown, nor what would give them away."
    " Periods are whole calendar months that have ended; a group's months are counted together"
    " until they have 5 ratings, so that no two periods differ by fewer."
)


class By(StrEnum):
    """What ratings are grouped by."""

    TEAM = "team"
    DEPARTMENT = "department"
    CATEGORY = "category"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Days:
    """Whole months of the hospital, from the first day to the last, both included."""

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
    """Return the months asked for by their first and last day; the last twelve if none are.

    Raises:
        Invalid: they end before they begin, are more than ten years, no whole calendar months, or
            not over yet.
    """
    zone = zone_of(ctx)
    this_month = local_day(ctx.now(), zone).replace(day=1)
    end = last or this_month - timedelta(days=1)
    if not EARLIEST <= end < LATEST:
        raise _refused(_l("Give a first month before the last, at most ten years apart."))
    after = end + timedelta(days=1)
    begin = first or _months_before(after.replace(day=1), USUAL)
    if begin.day != 1 or after.day != 1:
        raise _refused(_l("Give whole calendar months, like 2026-01."))
    if after > this_month:
        raise _refused(_l("Give months that have ended: ratings are counted after a month's end."))
    if not max(EARLIEST, _months_before(after, LONGEST)) <= begin < after:
        raise _refused(_l("Give a first month before the last, at most ten years apart."))
    return Days(begin, end, zone)


def _months_before(first_of_month: date, n: int) -> date:
    year, month = divmod(first_of_month.year * 12 + first_of_month.month - 1 - n, 12)
    return date(year, month + 1, 1)


def _refused(message: Any) -> Invalid:
    return Invalid(message, fields={"from": [message]})


def satisfaction(ctx: Context, *, by: By, days: Days) -> Satisfaction:
    """Return how content reporters were, in four statements however much there is."""
    rows = _confirmed(ctx, days)
    within = [row for row in rows if days.holds(row.at)]
    key = _key_of(by, days)
    groups: dict[Any, list[_Rated]] = {key(row): [] for row in within if row.rating is not None}
    for row in rows:
        if key(row) in groups:
            groups[key(row)].append(row)
    counted = {k: _in_whole_blocks(found, days) for k, found in groups.items()}
    whole = _in_whole_blocks(rows, days)
    names = _names(ctx, by)
    withheld = _giving_away(counted, len(whole))
    lines = [_line(k, names(k), stars, is_withheld=k in withheld) for k, stars in counted.items()]
    lines.sort(key=lambda line: (line.name, line.key or ""), reverse=by is By.MONTH)
    silent = sum(row.rating is None for row in within)
    return Satisfaction(
        days, by, _line(None, _("All"), whole), lines, silent, _reworked(ctx, days)
    )


def _in_whole_blocks(rows: Iterable[_Rated], days: Days) -> list[int]:
    """Return the stars of the blocks of months that lie in a period.

    Months are put together from the first there is, whatever the period, until they have five
    ratings; what is left over is counted once more have come.
    """
    months: dict[date, list[int]] = defaultdict(list)
    for row in rows:
        if row.rating is not None:
            months[local_day(row.at, days.zone).replace(day=1)].append(row.rating)
    shown: list[int] = []
    block: list[int] = []
    begun = days.first
    for month in sorted(months):
        begun = begun if block else month
        block += months[month]
        if len(block) >= FEWEST:
            shown += block if begun >= days.first else []
            block = []
    return shown


def _confirmed(ctx: Context, days: Days) -> list[_Rated]:
    """Return what was confirmed up to the end of a period."""
    zone = ZoneInfo(days.zone)
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
        .where(Request.verified_at <= datetime.combine(days.last, datetime.max.time(), zone))
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


def _giving_away(groups: dict[Any, list[int]], n: int) -> set[Any]:
    """Return the groups to hold back, so that the whole (`n`) less what is shown is no handful."""
    hidden = n - sum(len(stars) for stars in groups.values())
    large = [key for key, stars in groups.items() if stars]
    if not 0 < abs(hidden) < FEWEST or not large:
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
