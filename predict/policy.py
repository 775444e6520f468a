"""What each way of replacing costs: on a forecast, at an age, all at once, or with other work.

A planned replacement costs `planned`, a failure `failure`; the cost rate is the money of a long
time over that time (renewal-reward theorem: S. Ross, "Stochastic Processes" (1996), 3.6).

Sources: block replacement: R. Barlow and F. Proschan, "Mathematical Theory of Reliability" (1965),
chapter 3, with the renewal function by M. Xie's midpoint scheme, "On the solution of
renewal-type integral equations", Communications in Statistics - Simulation 18 (1989) 281-293.
Forecast-triggered replacement: a control limit on the forecast, J. van Noortwijk, Reliability
Engineering and System Safety 94 (2009) 2-21, evaluated on histories instead of a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.age_replacement import Policy, Weibull
from predict.errors import NotEnoughData

Array = NDArray[np.float64]

BLOCK_STEPS = 400
"""Steps of the renewal equation; the error in the cost is below a thousandth."""

BLOCK_LIVES = 3.0
"""Longest block looked at, in mean lives; beyond it the cost is that of waiting."""

LEAST_ENDS = 5
"""Ended units below which a threshold would be chosen by accident."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Money of one planned replacement and of one failure; `lead` from order to replacement.

    Raises:
        ValueError: not 0 < planned, 0 <= failure, 0 <= lead, all finite.
    """

    planned: float
    failure: float
    lead: float = 0.0

    def __post_init__(self) -> None:
        if not (self.planned > 0.0 and self.failure >= 0.0 and self.lead >= 0.0):
            raise ValueError("planned > 0, failure >= 0 and lead >= 0 needed")
        if not isfinite(self.planned + self.failure + self.lead):
            raise ValueError("costs and lead must be finite")


@dataclass(frozen=True, slots=True)
class Track:
    """A unit that ran to its end, with what was forecast on the way, by a model not taught by it.

    at: shape (n,), ages of the forecasts, increasing.  forecast: shape (n,), remaining life said
    there (a value or the low end of an interval).  end: age at which it failed.

    Raises:
        ValueError: shapes differ, or a forecast is dated after the end.
    """

    at: Array
    forecast: Array
    end: float

    def __post_init__(self) -> None:
        if self.at.ndim != 1 or self.at.shape != self.forecast.shape:
            raise ValueError("at and forecast must be alike and flat")
        if len(self.at) and not self.at[-1] <= self.end < inf:
            raise ValueError("a forecast is dated after the end")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a policy did: cost per unit of age with its bootstrap 90 % interval.

    failed: share of units that failed first.  wasted: mean life thrown away of those replaced,
    NaN without one.  n: units.
    """

    cost: float
    low: float
    high: float
    failed: float
    wasted: float
    n: int


def replaced_at(track: Track, threshold: float, lead: float) -> float:
    """Return the age at which the order of a forecast at or below `threshold` is carried out.

    >>> said = Track(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 2.0]), 6.0)
    >>> replaced_at(said, 5.0, 2.0)
    4.0
    """
    low = np.flatnonzero(track.forecast <= threshold)
    return float(track.at[low[0]]) + lead if len(low) else inf


def judge(ends: ArrayLike, ages: ArrayLike, costs: Costs, rng: np.random.Generator) -> Outcome:
    """Return what it costs to replace units that fail at `ends` at `ages` (inf: never).

    Args:
        ends: shape (n,), ages of failure.
        ages: shape (n,), ages of the planned replacement; at or after the end it comes too late.
        costs: `lead` is already within `ages`.
        rng: draws units again for the interval.

    Raises:
        NotEnoughData: no unit.
    """
    end, age = np.asarray(ends, dtype=np.float64), np.asarray(ages, dtype=np.float64)
    if not len(end):
        raise NotEnoughData("no unit that ran to its end")
    failed = age >= end
    money = np.where(failed, costs.failure, costs.planned)
    used = np.minimum(end, age)
    draws = rng.integers(0, len(end), (1000, len(end)))
    rates = money[draws].sum(axis=1) / used[draws].sum(axis=1)
    low, high = np.quantile(rates, [0.05, 0.95])
    wasted = float((end - age)[~failed].mean()) if (~failed).any() else float("nan")
    return Outcome(
        float(money.sum() / used.sum()),
        float(low),
        float(high),
        float(failed.mean()),
        wasted,
        len(end),
    )


def best_threshold(tracks: Sequence[Track], costs: Costs) -> tuple[float, float]:
    """Return the forecast at which to order, and the cost rate it would have had.

    Every threshold at which the order of some unit changes is tried; ties go to the highest,
    the safest.  The cost is that of the past it was chosen on, hence a little too good.

    Raises:
        NotEnoughData: fewer than `LEAST_ENDS` units.
    """
    if len(tracks) < LEAST_ENDS:
        raise NotEnoughData(f"{LEAST_ENDS} units that ran to their end needed")
    lowest = [np.minimum.accumulate(t.forecast) for t in tracks]
    tried = np.unique(np.concatenate([[-1.0], *lowest]))
    money, used = np.zeros(len(tried)), np.zeros(len(tried))
    for track, low in zip(tracks, lowest, strict=True):
        first = np.searchsorted(-low, -tried, side="left")  # first reading at or below each
        ages = np.append(track.at, inf)[first] + costs.lead
        money += np.where(ages >= track.end, costs.failure, costs.planned)
        used += np.minimum(ages, track.end)
    rates = money / used
    best = int(np.flatnonzero(rates <= rates.min() + 1e-15)[-1])
    return float(tried[best]), float(rates[best])


def oracle_cost(ends: ArrayLike, costs: Costs) -> float:
    """Return the cost rate of one who knows each end: replaced at the very last moment.

    >>> oracle_cost([100.0, 300.0], Costs(planned=1.0, failure=5.0))
    0.005
    """
    end = np.asarray(ends, dtype=np.float64)
    if not len(end):
        raise NotEnoughData("no unit that ran to its end")
    return float(min(costs.planned, costs.failure) / end.mean())


def renewals(life: Weibull, horizon: float, steps: int = BLOCK_STEPS) -> tuple[Array, Array]:
    """Return times 0..horizon and the expected failures up to each, shapes (steps + 1,).

    Solves M(t) = F(t) + integral of M(t - x) dF(x), each step's M at its midpoint.
    """
    t = np.linspace(0.0, horizon, steps + 1)
    middle = 1.0 - np.exp(-(((t[1:] - t[1] / 2.0) / life.scale) ** life.shape))
    whole = 1.0 - np.exp(-((t / life.scale) ** life.shape))
    m = np.zeros(steps + 1)
    for i in range(1, steps + 1):
        grown = np.diff(m[:i])
        past = float((middle[i - 1 : 0 : -1] * grown).sum()) if i > 1 else 0.0
        m[i] = (whole[i] + past - middle[0] * m[i - 1]) / (1.0 - middle[0])
    return t, m


def best_block(life: Weibull, costs: Costs) -> Policy:
    """Return the cheapest interval at which to replace all, old or new, failed ones at once.

    C(T) = (planned + failure * M(T)) / T with the renewal function M.  Dearer than replacing by
    age, but needs no record of each part's age.  `age` is the interval, inf where it never pays.

    >>> best_block(Weibull(3.0, 1000.0), Costs(planned=1.0, failure=10.0))
    Policy(age=375.0..., cost=0.00404..., cost_run_to_failure=0.0111...)
    """
    mean = life.mean_life_up_to(inf)
    waiting = costs.failure / mean
    t, m = renewals(life, BLOCK_LIVES * mean)
    rates = (costs.planned + costs.failure * m[1:]) / t[1:]
    best = int(rates.argmin())
    if life.shape <= 1.0 or rates[best] >= waiting or best == len(rates) - 1:
        return Policy(inf, waiting, waiting)
    return Policy(float(t[1 + best]), float(rates[best]), waiting)
