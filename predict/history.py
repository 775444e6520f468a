"""Two months of daily facts about the raw values: range, longest standstill, finest step."""

from __future__ import annotations

from dataclasses import dataclass, field

UNMOVED_GRAIN = 5e-3
"""Finest step assumed of a sensor that hardly ever moved, as a share of its value."""

LIVELY_STEPS = 10
"""Changes of value that a sensor must have shown before its finest step is believed."""

TINY = 1e-9
"""Below this nothing is measured; it keeps an all-zero signal from dividing by zero."""


@dataclass(slots=True)
class History:
    """Daily extremes of the raw values, and what happens today."""

    lowest: list[float] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)
    longest_still_s: list[float] = field(default_factory=list)
    grain: float | None = None
    """Smallest step between unlike neighbours seen before today; None: it never moved."""
    steps: int = 0
    today_low: float | None = None
    today_high: float | None = None
    today_grain: float | None = None
    today_still_s: float = 0.0
    """Longest standstill that ended today; the one that still lasts is not yet history."""
    still_s: float = 0.0
    still_readings: int = 0

    def update(self, value: float, previous: float, gap_s: float) -> None:
        """Take in a reading, the one before it and the seconds between them."""
        self.today_low = value if self.today_low is None else min(self.today_low, value)
        self.today_high = value if self.today_high is None else max(self.today_high, value)
        step = abs(value - previous)
        if step == 0.0:
            self.still_s += gap_s
            self.still_readings += 1
            return
        self.end_standstill()
        self.steps += 1
        self.today_grain = step if self.today_grain is None else min(self.today_grain, step)

    def end_standstill(self) -> None:
        """File the present standstill as one of today's."""
        self.today_still_s = max(self.today_still_s, self.still_s)
        self.still_s, self.still_readings = 0.0, 0

    def close_day(self, keep_days: int) -> None:
        """File today."""
        self.lowest = [*self.lowest, *_known(self.today_low)][-keep_days:]
        self.highest = [*self.highest, *_known(self.today_high)][-keep_days:]
        self.longest_still_s = [*self.longest_still_s, self.today_still_s][-keep_days:]
        self.grain = min([*_known(self.grain), *_known(self.today_grain)], default=None)
        self.today_low, self.today_high, self.today_grain = None, None, None
        self.today_still_s = 0.0

    def least_change(self, level: float) -> float:
        """Return the smallest change worth a thought: two of the sensor's finest steps."""
        known = self._finest_step()
        grain = UNMOVED_GRAIN * abs(level) if known is None else known
        return max(2.0 * grain, TINY)

    def novelty(self, value: float, *, share: float, least: float) -> float:
        """Return how far `value` lies outside all past days, 1 = by `share` of their range."""
        low, high = min(self.lowest), max(self.highest)
        return max(value - high, low - value) / max(share * (high - low), least)

    def standstill(self, *, factor: float, least_s: float) -> float:
        """Return the present standstill over `factor` times the longest past one (1 = alarm).

        A sensor that hardly ever moved has no lively past: its standstill is its nature.
        """
        if self._finest_step() is None:
            return 0.0
        return self.still_s / max(factor * max(self.longest_still_s), least_s)

    def _finest_step(self) -> float | None:
        return self.grain if self.steps >= LIVELY_STEPS else None


def _known(number: float | None) -> list[float]:
    return [] if number is None else [number]
