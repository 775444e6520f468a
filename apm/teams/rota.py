"""Who is there now, and who comes next: pure arithmetic on shifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apm.teams.working_time import Span, WorkingCalendar, local_span

LOOKED_AHEAD = 21
"""Days within which we say when somebody is there next."""
Hours = tuple[time, time]
"""Local hours; an end that is not after the start is next morning's."""


@dataclass(frozen=True, slots=True)
class PersonRota:
    """When one person works.

    Shifts of their own hold on public holidays too: a rota is made for those as well.  Who has
    none works when the department does.
    """

    calendar: WorkingCalendar
    weekly: Mapping[int, Hours] = field(default_factory=dict)
    days: Mapping[date, Hours | None] = field(default_factory=dict)
    """Dated days that differ; None: absent."""

    def duty_at(self, at: datetime) -> Span | None:
        """Return the duty somebody is on at an instant, None when they are off."""
        today = self._local_day(at)
        for day in (today - timedelta(days=1), today):  # a night shift began yesterday
            span = self.duty_of(day)
            if span and span[0] <= at < span[1]:
                return span
        return None

    def next_duty(self, at: datetime) -> datetime | None:
        """Return when somebody's next duty begins after an instant, within three weeks."""
        today = self._local_day(at)
        for ahead in range(LOOKED_AHEAD):
            span = self.duty_of(today + timedelta(days=ahead))
            if span and span[0] > at:
                return span[0]
        return None

    def duty_of(self, day: date) -> Span | None:
        """Return the duty that begins on a local day."""
        if day in self.days:
            return self._span(day, self.days[day])
        if self.weekly:
            return self._span(day, self.weekly.get(day.weekday()))
        return self.calendar.hours_of(day)

    def _span(self, day: date, hours: Hours | None) -> Span | None:
        return local_span(day, *hours, self.calendar.zone) if hours else None

    def _local_day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.calendar.zone)).date()
