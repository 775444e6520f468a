"""What a sensor should read now: a slow level, the hour of the day and the part of the week."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, floor
from typing import Any

HOUR = 3600.0
DAY = 24 * HOUR
WEEK = 7 * DAY
NORMAL_MEAN_DEVIATION = 1.2533
"""Standard deviation over mean absolute deviation of a normal variable, sqrt(pi / 2)."""


def gain(weight_s: float, seen_s: float, memory_s: float) -> float:
    """Return the weight of a new value: a plain mean at first, exponential forgetting later.

    Source: S. W. Roberts, "Control chart tests based on geometric moving averages",
    Technometrics 1 (1959) 239-250, for irregular times with 1 - exp(-dt / memory).
    """
    return max(1.0 - exp(-weight_s / memory_s), weight_s / (seen_s + weight_s))


@dataclass(slots=True)
class Profile:
    """An additive periodic pattern in equal bins, read with linear interpolation.

    Every bin starts with one bin width of pretended observation at zero, so that a pattern
    seen once counts half: shrinkage keeps the first days from being learnt by heart.
    """

    period_s: float
    memory_periods: float
    offset: list[float]
    seen_s: list[float]

    @classmethod
    def flat(cls, *, period_s: float, bins: int, memory_periods: float) -> Profile:
        """Return a profile that knows no pattern yet."""
        return cls(period_s, memory_periods, [0.0] * bins, [0.0] * bins)

    def at(self, when_s: float) -> float:
        """Return the pattern's offset at `when_s`, interpolated between bin centres."""
        bins = len(self.offset)
        place = (when_s % self.period_s) / self.period_s * bins - 0.5
        left = floor(place)
        part = place - left
        return (1.0 - part) * self.offset[left % bins] + part * self.offset[(left + 1) % bins]

    def learn(self, when_s: float, residual: float, weight_s: float) -> None:
        """Move the bin of `when_s` towards what was left unexplained."""
        bins = len(self.offset)
        width_s = self.period_s / bins
        k = min(int((when_s % self.period_s) / width_s), bins - 1)
        step = gain(weight_s, self.seen_s[k] + width_s, self.memory_periods * width_s)
        self.offset[k] += step * residual
        self.seen_s[k] += weight_s


def _day() -> Profile:
    return Profile.flat(period_s=DAY, bins=24, memory_periods=14.0)


def _week() -> Profile:
    # Six-hour bins, not weekdays: no time zone puts a weekend on a boundary of UTC.
    return Profile.flat(period_s=WEEK, bins=28, memory_periods=6.0)


@dataclass(slots=True)
class Expectation:
    """Level + day profile + week profile of one sensor, all learnt from clipped residuals.

    Clipping the residual at `clip` spreads is Huber's psi: one wild value moves the
    expectation no more than a large ordinary one.  Source: P. J. Huber, "Robust estimation of
    a location parameter", Annals of Mathematical Statistics 35 (1964) 73-101.
    """

    level: float
    level_memory_s: float
    clip: float
    spread: float = 0.0
    seen_s: float = 0.0
    lately: float = 0.0
    """Mean residual of about a day, unclipped: how far the sensor is from here just now."""
    day: Profile = field(default_factory=_day)
    week: Profile = field(default_factory=_week)

    def at(self, when_s: float) -> float:
        """Return the value expected at `when_s`, from readings before it alone."""
        return self.level + self.day.at(when_s) + self.week.at(when_s)

    def learn(self, when_s: float, residual: float, weight_s: float, *, least: float) -> None:
        """Take in one residual (reading - expected) that stands for `weight_s` seconds.

        `least` > 0 is the smallest spread believed: without it a signal that was constant for
        a day would be clipped to nothing for ever.
        """
        limit = self.clip * max(self.spread, least) if self.seen_s > DAY else abs(residual)
        clipped = max(-limit, min(limit, residual))
        self.level += gain(weight_s, self.seen_s, self.level_memory_s) * clipped
        deviation = NORMAL_MEAN_DEVIATION * abs(clipped)
        self.spread += gain(weight_s, self.seen_s, 2 * self.level_memory_s) * (
            deviation - self.spread
        )
        self.day.learn(when_s, clipped, weight_s)
        self.week.learn(when_s, clipped, weight_s)
        self.lately += gain(weight_s, self.seen_s, DAY) * (residual - self.lately)
        self.seen_s += weight_s

    def settle(self) -> None:
        """Take where the sensor has been lately for its level from now on."""
        self.level += self.lately
        self.lately = 0.0


def expectation_from(saved: dict[str, Any]) -> Expectation:
    """Return the expectation that `dataclasses.asdict` took apart."""
    profiles = {"day": Profile(**saved["day"]), "week": Profile(**saved["week"])}
    return Expectation(**{**saved, **profiles})
