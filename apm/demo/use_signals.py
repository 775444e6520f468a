"""What the demo's power meters and counters would say: pure functions of time, like `signals`.

A device is switched by blocks of time, each of which is on or not by a number that looks random
but depends on the block alone; so history and simulator meet without a seam here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apm.demo.signals import DAY, HOUR, Array

EAST: Final = 8 * HOUR
"""The demo hospital's clock is so far ahead of UTC."""
MINUTE: Final = 60.0
WORK: Final = tuple(
    0.9 if 8 <= h < 12 or 13 <= h < 18 else 0.25 if 6 <= h < 22 else 0.06 for h in range(24)
)
QUIET: Final = tuple(0.3 if 8 <= h < 18 else 0.08 for h in range(24))
ALWAYS: Final = (0.7,) * 24
DAYTIME: Final = tuple(0.65 if 7 <= h < 19 else 0.0 for h in range(24))
SHIFTS: Final = tuple(1.0 if 7 <= h < 11 or 13 <= h < 17 else 0.0 for h in range(24))
NEVER: Final = (0.0,) * 24
NIGHT: Final = frozenset({*range(6), *range(20, 24)})


@dataclass(frozen=True, slots=True)
class Switched:
    """A device that draws `on` or `standby`, and nothing in the hours `off`.

    `week` and `rest` say how likely it is on at each hour of a working day and of a Saturday or
    Sunday; `block` is how long it stays so, in seconds; `swing` how much `on` varies.
    """

    on: float
    standby: float
    key: int
    week: tuple[float, ...] = WORK
    rest: tuple[float, ...] = QUIET
    block: float = 30 * MINUTE
    swing: float = 0.08
    off: frozenset[int] = frozenset()
    digits: int = 1

    def values(self, at: Array, origin: float) -> Array:
        """Return what is drawn at `at`, shape (n,), seconds since the epoch."""
        hour, is_rest = _clock(np.floor(at / self.block) * self.block)
        chance = np.where(is_rest, np.array(self.rest)[hour], np.array(self.week)[hour])
        is_on = _dice(np.floor(at / self.block), self.key) < chance
        restless = 1 + self.swing * (2 * _dice(np.floor(at), self.key + 1) - 1)
        drawn = np.where(is_on, self.on * restless, self.standby * (1 + 0.2 * (restless - 1)))
        is_off = np.isin(hour, list(self.off)) & ~is_on
        return np.asarray(np.round(np.where(is_off, 0.0, drawn), self.digits), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Counting:
    """A counter: `week` a working day, `rest` else, between 7 and 20 o'clock; set back once.

    `reset_days` before the origin at three in the morning it begins again at nothing.
    """

    start: float
    week: float
    rest: float
    reset_days: float
    digits: int = 0

    def values(self, at: Array, origin: float) -> Array:
        """Return what it says at `at`, shape (n,); `origin` as in `signals`."""
        reset = np.array([origin - self.reset_days * DAY + 3 * HOUR])
        begin = self._total(np.array([origin - 60 * DAY]))
        before = self.start + self._total(at) - begin
        after = self._total(at) - self._total(reset)
        return np.asarray(np.floor(np.where(at >= reset, after, before)), dtype=np.float64)

    def _total(self, at: Array) -> Array:
        """Return all it has counted since Monday, 5 January 1970."""
        days = (at + EAST) / DAY - 4
        whole = np.floor(days)
        weekday = (whole % 7).astype(np.int64)
        each = np.array([self.week] * 5 + [self.rest] * 2)
        done = np.r_[0.0, np.cumsum(each)][weekday] + np.floor(whole / 7) * each.sum()
        share = np.interp((days - whole) * 24, [0, 7, 12, 14, 20, 24], [0, 0, 0.5, 0.6, 1, 1])
        return np.asarray(done + each[weekday] * share)


def _clock(at: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the local hour, and whether it is Saturday or Sunday."""
    local = at + EAST
    hour = (local % DAY // HOUR).astype(np.int64)
    return hour, (local // DAY + 3) % 7 >= 5


def _dice(n: Array, key: int) -> Array:
    """Return a number in 0..1 that looks random but depends on `n` and the key alone."""
    mixed = np.sin(n * 12.9898 % (2 * np.pi) + key * 78.233) * 43758.5453
    return np.asarray(mixed - np.floor(mixed), dtype=np.float64)


USES: Final[dict[str, Switched | Counting]] = {
    "CT1-POWER": Switched(14.0, 1.9, 101, swing=0.5, digits=2),
    "CT1-EXPOSURES": Counting(184_000, 620, 140, reset_days=9),
    "ICU-VENT-1-P": Switched(95.0, 7.5, 103, ALWAYS, ALWAYS, block=12 * HOUR),
    "HD-1-P": Switched(1300.0, 22.0, 105, SHIFTS, NEVER, off=NIGHT),
    "WASHER-1-P": Switched(5200.0, 38.0, 107, DAYTIME, QUIET, block=HOUR, swing=0.2),
    "CHILLER-1-I": Switched(21.5, 1.1, 109, ALWAYS, ALWAYS, block=40 * MINUTE, digits=2),
}
"""By sensor code: kW, exposures, W, W, W and A."""
