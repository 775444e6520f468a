"""The days an analysis covers, in the hospital's time zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apm.core.errors import Invalid
from apm.core.i18n import _l

LONGEST = timedelta(days=3660)
EARLIEST, LATEST = date(1990, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from `first` to `last`, both included, cut off at `now`."""

    first: date
    last: date
    zone: str
    now: datetime

    @property
    def start(self) -> datetime:
        """The first instant."""
        return self._midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first instant after; never in the future, where nothing has happened yet."""
        return min(self._midnight(self.last + timedelta(days=1)), self.now)

    @property
    def today(self) -> date:
        """The hospital's present day."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    @property
    def seconds_east(self) -> float:
        """How far the zone is ahead of UTC when the period begins."""
        offset = self.start.astimezone(ZoneInfo(self.zone)).utcoffset()
        return offset.total_seconds() if offset else 0.0

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)


def year_ago(day: date) -> date:
    """Return the first day of the twelve months that end with `day`."""
    return _back(day, 12)


def _back(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    # The day after the same day: twelve months hold it once.  The 28th exists in every month.
    start = date(index // 12, index % 12 + 1, min(day.day, 28))
    return start + timedelta(days=1)


PRESETS: dict[str, Callable[[date], tuple[date, date]]] = {
    "12m": lambda today: (year_ago(today), today),
    "3m": lambda today: (_back(today, 3), today),
    "1m": lambda today: (_back(today, 1), today),
    "year": lambda today: (date(today.year, 1, 1), today),
    "last_year": lambda today: (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
}
PRESET_WORDS = {
    "12m": _l("Last 12 months"),
    "3m": _l("Last 3 months"),
    "1m": _l("Last month"),
    "year": _l("This year"),
    "last_year": _l("Last year"),
}


def period_of(
    *, first: date | None, last: date | None, preset: str | None, zone: str, now: datetime
) -> Period:
    """Return the period asked for: given days, else a preset, else the last twelve months.

    Raises:
        Invalid: the days are in the wrong order, in the future, too far apart or of no sensible
            year (the calendar's first day has no day before it to count from).
    """
    for name, day in (("from", first), ("to", last)):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise _refusal(name, _l("Give a day between 1990 and 2200."))
    today = now.astimezone(ZoneInfo(zone)).date()
    if first is None and last is None:
        first, last = PRESETS.get(preset or "12m", PRESETS["12m"])(today)
    last = last or today
    first = first or year_ago(last)
    if first > last:
        raise _refusal("from", _l("The first day must not be after the last."))
    if first > today:
        raise _refusal("from", _l("The period has not begun. Choose an earlier day."))
    if last - first > LONGEST:
        raise _refusal("from", _l("Choose a period of at most ten years."))
    return Period(first, last, zone, now)


def _refusal(name: str, message: object) -> Invalid:
    return Invalid(message, fields={name: [message]})
