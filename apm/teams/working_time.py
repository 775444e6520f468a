"""Working time: when the department works, and how far a clock has run in it.

Pure arithmetic on instants in UTC.  Days are the hospital's local days, so that a day on which
the clocks are put forward or back has its own true length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
"""From an instant to a later one, the latter not included."""
WEEKDAYS = frozenset(range(5))
"""Monday to Friday; Monday is 0."""
FURTHEST = 3700
"""Days looked ahead: who has a target of ten working years has none."""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The hours a department is open, by weekday, and the days that differ."""

    zone: str
    weekdays: frozenset[int] = WEEKDAYS
    opens: time = time(8)
    closes: time = time(17)
    special: Mapping[date, bool] = field(default_factory=dict)
    """Days that are worked although of the week-end (True), or not worked although a weekday."""

    @property
    def day_length(self) -> timedelta:
        """How long an ordinary working day is."""
        return _since_midnight(self.closes) - _since_midnight(self.opens)

    def is_working(self, day: date) -> bool:
        """Tell whether `day` is worked."""
        return self.special.get(day, day.weekday() in self.weekdays)

    def hours_of(self, day: date) -> Span | None:
        """Return when the department is open on a local day; None when it is not."""
        return (
            local_span(day, self.opens, self.closes, self.zone) if self.is_working(day) else None
        )

    def spans(self, start: datetime) -> Iterator[Span]:
        """Yield the opening hours that end after `start`, in order."""
        first = start.astimezone(ZoneInfo(self.zone)).date()
        for ahead in range(FURTHEST):
            hours = self.hours_of(first + timedelta(days=ahead))
            if hours and hours[1] > start:
                yield hours


def local_span(day: date, starts: time, ends: time, zone: str) -> Span:
    """Return the instants of local hours; an end that is not after the start is next morning's."""
    last = day if ends > starts else day + timedelta(days=1)
    return _instant(day, starts, zone), _instant(last, ends, zone)


def deadline(
    start: datetime,
    within: timedelta,
    calendar: WorkingCalendar | None = None,
    pauses: Sequence[Span] = (),
) -> datetime:
    """Return when a clock started at `start` has run for `within`.

    Args:
        start: when it starts.
        within: how long it may run.
        calendar: the hours it runs in; None: around the clock.
        pauses: when it stood still.

    Raises:
        ValueError: the calendar leaves it no time to run.
    """
    left = within
    for begins, ends in _running(start, calendar, pauses):
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    raise ValueError("this calendar has no working hours")


def elapsed(
    start: datetime,
    end: datetime,
    calendar: WorkingCalendar | None = None,
    pauses: Sequence[Span] = (),
) -> timedelta:
    """Return how long a clock has run from `start` to `end`; arguments as `deadline`."""
    total = timedelta()
    for begins, ends in _running(start, calendar, pauses):
        if begins >= end:
            break
        total += min(ends, end) - begins
    return total


def _running(
    start: datetime, calendar: WorkingCalendar | None, pauses: Sequence[Span]
) -> Iterator[Span]:
    still = merged(pauses)
    for begins, ends in calendar.spans(start) if calendar else [_always(start)]:
        yield from _without((max(begins, start), ends), still)


def _always(start: datetime) -> Span:
    return start, start + timedelta(days=FURTHEST)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch joined, empty ones left out."""
    found: list[Span] = []
    for begins, ends in sorted(span for span in spans if span[1] > span[0]):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def _without(span: Span, still: list[Span]) -> Iterator[Span]:
    begins, end = span
    for pause_begins, pause_ends in still:
        if pause_ends <= begins or pause_begins >= end:
            continue
        if pause_begins > begins:
            yield begins, pause_begins
        begins = pause_ends
    if begins < end:
        yield begins, end


def _instant(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)
