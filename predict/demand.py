"""How much of a spare part is used: its pattern, a forecast for the next period, when to reorder.

Demand comes as one number a period (a month), zeros included, oldest first.  How it is forecast
depends on its pattern (Syntetos, Boylan and Croston, "On the categorization of demand patterns",
Journal of the Operational Research Society 56, 2005, 495-503): the mean interval between periods
with demand (ADI, cut at 1.32) and the squared coefficient of variation of their sizes (CV2, cut
at 0.49).

- ADI below 1.32 (smooth, erratic): simple exponential smoothing (Brown 1959), or Holt's linear
  trend (Holt 1957, International Journal of Forecasting 20, 2004, 5-10) where two years of
  history make it clearly better by the corrected information criterion.  By statsmodels.
- otherwise (intermittent, lumpy): Croston's size and interval ("Forecasting and stock control
  for intermittent demands", Operational Research Quarterly 23, 1972, 289-303) with the correction
  of Syntetos and Boylan ("The accuracy of intermittent demand estimates", International Journal
  of Forecasting 21, 2005, 303-314, eq. 5): (1 - alpha / 2) * size / interval.

The spread is the root mean squared error of the forecasts one period ahead, as it would have been
made at the time.  Reorder point and safety stock: Silver, Pyke and Peterson, "Inventory Management
and Production Planning and Scheduling", Wiley 1998, section 7.4: m L + z s sqrt(L).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData

ADI_CUT, CV2_CUT = 1.32, 0.49
ALPHA = 0.1
"""Smoothing of size and interval; Syntetos and Boylan advise 0.05 to 0.2 for such demand."""
LEAST_PERIODS, LEAST_DEMANDS = 6, 3
"""Less history than this is no ground for a number."""
TREND_PERIODS = 24
"""A trend is looked for in at least so much history."""
CLEARLY = 4.0
"""By so much must the information criterion of the trend be lower."""
CONFIDENCE = 0.9
"""Of the interval around one period's demand, both sides together."""


class Pattern(StrEnum):
    """How demand comes."""

    SMOOTH = "smooth"
    ERRATIC = "erratic"
    INTERMITTENT = "intermittent"
    LUMPY = "lumpy"


class Method(StrEnum):
    """What a forecast was made with."""

    SMOOTHING = "smoothing"
    TREND = "trend"
    SBA = "sba"


@dataclass(frozen=True, slots=True)
class Classification:
    """A pattern and what it rests on; `periods` in all, of which `demands` had any demand."""

    pattern: Pattern
    adi: float
    cv2: float
    periods: int
    demands: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Demand of the next period: its mean, where it will likely lie, and how that was found.

    `spread` is the standard deviation of one period's demand around the forecast.
    """

    mean: float
    low: float
    high: float
    spread: float
    method: Method
    classification: Classification


@dataclass(frozen=True, slots=True)
class ReorderPoint:
    """Order when this much is left: what is used until delivery, and the stock for bad luck."""

    level: float
    lead_demand: float
    safety: float


def classify(demand: Sequence[float]) -> Classification:
    """Return the pattern of a demand history.

    Raises:
        NotEnoughData: fewer than 6 periods, or fewer than 3 with demand.
        ValueError: a negative or infinite demand.

    >>> classify([2, 2, 3, 2, 2, 3]).pattern, classify([0, 0, 4, 0, 0, 5, 0, 0, 4]).adi
    (<Pattern.SMOOTH: 'smooth'>, 3.0)
    """
    history = _checked(demand)
    sizes = history[history > 0]
    adi = len(history) / len(sizes)
    cv2 = float((sizes.std(ddof=1) / sizes.mean()) ** 2)
    is_frequent, is_even = adi < ADI_CUT, cv2 < CV2_CUT
    if is_frequent:
        pattern = Pattern.SMOOTH if is_even else Pattern.ERRATIC
    else:
        pattern = Pattern.INTERMITTENT if is_even else Pattern.LUMPY
    return Classification(pattern, adi, cv2, len(history), len(sizes))


def forecast_demand(demand: Sequence[float]) -> Forecast:
    """Return the forecast for the period after a demand history; errors as `classify`."""
    history, found = _checked(demand), classify(demand)
    if found.adi >= ADI_CUT:
        method, ahead = Method.SBA, sba(demand)
    else:
        method, ahead = _smoothed(history)
    mean = max(float(ahead[-1]), 0.0)
    errors = history - ahead[:-1]
    known = errors[np.isfinite(errors)]
    spread = float(np.sqrt(np.mean(known**2))) if len(known) else 0.0
    reach = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * spread
    return Forecast(mean, max(mean - reach, 0.0), mean + reach, spread, method, found)


def croston(demand: Sequence[float], alpha: float = ALPHA) -> NDArray[np.float64]:
    """Return Croston's forecast before each period and after the last, shape (n + 1,).

    NaN until the first demand, whose size and distance from the start begin the two averages.
    """
    size = interval = np.nan
    since = 1
    ahead = [np.nan]
    for value in demand:
        if value > 0:
            is_first = np.isnan(size)
            size = float(value) if is_first else size + alpha * (value - size)
            interval = float(since) if is_first else interval + alpha * (since - interval)
            since = 0
        since += 1
        ahead.append(size / interval)
    return np.array(ahead)


def sba(demand: Sequence[float], alpha: float = ALPHA) -> NDArray[np.float64]:
    """Return Croston's forecast without its bias, as Syntetos and Boylan correct it; (n + 1,)."""
    return (1 - alpha / 2) * croston(demand, alpha)


def reorder_point(
    mean: float, spread: float, *, lead_periods: float, service_level: float = 0.95
) -> ReorderPoint:
    """Return when to order: m L + z s sqrt(L).

    Args:
        mean: demand m of one period.
        spread: its standard deviation s around the forecast.
        lead_periods: L, periods from ordering to receiving, 0 or more.
        service_level: chance that the stock lasts until delivery, 0.5 to below 1; gives z.

    >>> reorder_point(4.0, 1.0, lead_periods=4.0).level  # 4 * 4 + 1.645 * 1 * 2
    19.28...
    """
    if not (isfinite(lead_periods) and lead_periods >= 0 and 0.5 <= service_level < 1):
        raise ValueError("lead_periods >= 0 and 0.5 <= service_level < 1 needed")
    lead_demand = mean * lead_periods
    safety = NormalDist().inv_cdf(service_level) * spread * sqrt(lead_periods)
    return ReorderPoint(lead_demand + safety, lead_demand, safety)


def _checked(demand: Sequence[float]) -> NDArray[np.float64]:
    history = np.asarray(demand, dtype=np.float64)
    if not np.isfinite(history).all() or (history < 0).any():
        raise ValueError("demand must be finite and not negative")
    if len(history) < LEAST_PERIODS or np.count_nonzero(history) < LEAST_DEMANDS:
        raise NotEnoughData(f"{LEAST_PERIODS} periods and {LEAST_DEMANDS} demands needed")
    return history


def _smoothed(history: NDArray[np.float64]) -> tuple[Method, NDArray[np.float64]]:
    """Return the forecasts before each period and after the last, shape (n + 1,)."""
    if np.ptp(history) == 0.0:  # nothing to fit; the likelihood has no end
        return Method.SMOOTHING, np.append(history, history[-1])
    from statsmodels.tsa.holtwinters import (  # noqa: PLC0415  (takes as long as all the rest)
        ExponentialSmoothing,
        SimpleExpSmoothing,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an optimum at the edge of 0..1 is an answer like others
        plain = SimpleExpSmoothing(history, initialization_method="estimated").fit()
        best, method = plain, Method.SMOOTHING
        if len(history) >= TREND_PERIODS:
            trend = ExponentialSmoothing(
                history, trend="add", initialization_method="estimated"
            ).fit()
            if trend.aicc < plain.aicc - CLEARLY:
                best, method = trend, Method.TREND
        return method, np.append(best.fittedvalues, best.forecast(1))
