"""Which days are worked, with China's holidays and the weekends worked in exchange.

`seed/holidays.yaml` is edited each November, when the State Council announces the next year.
Years that are not in it know weekends alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.maintenance.due import Window

FILE = ROOT / "seed" / "holidays.yaml"
SATURDAY = 5
CHINA = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "PRC"})


@dataclass(frozen=True, slots=True)
class Workdays:
    """Days off besides weekends, weekends that are worked, and the years that are known."""

    off: frozenset[date]
    worked: frozenset[date]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        """Tell whether people work on `day`."""
        return day in self.worked or (day.weekday() < SATURDAY and day not in self.off)

    def knows(self, year: int) -> bool:
        """Tell whether the holidays of a year are listed; else weekends alone are known."""
        return year in self.years

    def between(self, first: date, last: date) -> list[date]:
        """Return the working days from `first` to `last`, both included."""
        days = (first + timedelta(days=k) for k in range((last - first).days + 1))
        return [day for day in days if self.is_workday(day)]

    def within(self, frame: Window, wanted: date | None = None) -> date:
        """Return the working day of the window nearest to its due date (or to `wanted`).

        The day before rather than the day after; the due date itself if no day is worked.
        """
        aim = wanted or frame.due
        farthest = max((aim - frame.opens).days, (frame.late_after - aim).days, 0)
        for step in range(farthest + 1):
            for day in (aim - timedelta(days=step), aim + timedelta(days=step)):
                if frame.opens <= day <= frame.late_after and self.is_workday(day):
                    return day
        return aim


def workdays_in(zone: str) -> Workdays:
    """Return the working days of a hospital: weekends alone outside China."""
    return workdays() if zone in CHINA else Workdays(frozenset(), frozenset(), frozenset())


@cache
def workdays() -> Workdays:
    """Return the working days of the file, read once."""
    plain = read_yaml(FILE)
    years: dict[int, dict[str, list[object]]] = plain["years"]
    off: set[date] = set()
    for year in years.values():
        for entry in year["holidays"]:
            off.update(_span(str(entry)))
    worked = {
        day for year in years.values() for entry in year["workdays"] for day in _span(str(entry))
    }
    return Workdays(frozenset(off), frozenset(worked), frozenset(years))


def _span(text: str) -> list[date]:
    """Return the days of `2026-02-15..2026-02-23`, or of one day.

    >>> len(_span("2026-02-15..2026-02-23"))
    9
    """
    first, _dots, last = text.partition("..")
    begin = date.fromisoformat(first.strip())
    end = date.fromisoformat(last.strip()) if last else begin
    return [begin + timedelta(days=k) for k in range((end - begin).days + 1)]
