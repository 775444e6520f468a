"""How well proposed causes agree with what engineers then confirm.

Brier score: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
Weather Review 78 (1950) 1-3, for yes or no: the mean of (p - y) squared; 0 is best, and always
saying the share that is confirmed scores share * (1 - share).  Reliability table: A. H. Murphy and
R. L. Winkler, Journal of the Royal Statistical Society C 26 (1977) 41-47.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from statistics import NormalDist, fmean, stdev

from predict.cause_table import CAUSES, Cause
from predict.errors import NotEnoughData
from predict.proportion import wilson

EDGES = (0.0, 0.5, 0.65, 0.8, 0.9, 1.0)
"""Bounds of the bins; below one half nothing is proposed."""
LEAST_CASES = 10
"""Fewer say nothing about calibration."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The proposals with `low` <= p < `high` (the last bin holds 1): n, how many were confirmed.

    said: mean p.  share: confirmed / n.  interval: of the share, 90 %.  All None without a case.
    """

    low: float
    high: float
    n: int
    confirmed: int
    said: float | None
    share: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Score:
    """Brier score with a 90 % interval, and that of always saying the confirmed share."""

    brier: float
    interval: tuple[float, float]
    reference: float
    n: int


def reliability(probabilities: Sequence[float], confirmed: Sequence[bool]) -> tuple[Bin, ...]:
    """Return what was said and what was confirmed, by bin of probability.

    Args:
        probabilities: shape (n,), 0 to 1, of the cause that was proposed.
        confirmed: shape (n,), whether an engineer said the same.

    >>> [(bin.n, bin.confirmed) for bin in reliability([0.6, 0.7, 0.95], [True, False, True])]
    [(0, 0), (1, 1), (1, 0), (0, 0), (1, 1)]
    """
    _check(probabilities, confirmed)
    return tuple(_bin(low, high, probabilities, confirmed) for low, high in pairwise(EDGES))


def _bin(low: float, high: float, said: Sequence[float], confirmed: Sequence[bool]) -> Bin:
    inside = [
        (p, y)
        for p, y in zip(said, confirmed, strict=True)
        if low <= p < high or (p == high == EDGES[-1])
    ]
    n, hits = len(inside), sum(y for _p, y in inside)
    if n == 0:
        return Bin(low, high, 0, 0, None, None, None)
    return Bin(low, high, n, hits, fmean(p for p, _y in inside), hits / n, wilson(hits, n))


def brier(probabilities: Sequence[float], confirmed: Sequence[bool]) -> Score:
    """Return the Brier score of proposals, with the interval of a mean (normal, 90 %).

    Raises:
        NotEnoughData: fewer than `LEAST_CASES`.

    >>> round(brier([0.8] * 10, [True] * 8 + [False] * 2).brier, 3)
    0.16
    """
    _check(probabilities, confirmed)
    n = len(probabilities)
    if n < LEAST_CASES:
        raise NotEnoughData(f"{LEAST_CASES} confirmed proposals needed")
    errors = [(p - y) ** 2 for p, y in zip(probabilities, confirmed, strict=True)]
    mean, share = fmean(errors), sum(confirmed) / n
    reach = NormalDist().inv_cdf(0.95) * stdev(errors) / sqrt(n)
    return Score(mean, (max(0.0, mean - reach), mean + reach), share * (1 - share), n)


def log_loss(posteriors: Sequence[Mapping[Cause, float]], truth: Sequence[Cause]) -> float:
    """Return the mean of -log p(true cause), natural logarithm; equal shares score log 6."""
    if not posteriors or len(posteriors) != len(truth):
        raise ValueError("as many truths as posteriors, and at least one, needed")
    if any(set(posterior) != set(CAUSES) for posterior in posteriors):
        raise ValueError("a posterior names every cause")
    return -fmean(log(p[cause]) for p, cause in zip(posteriors, truth, strict=True))


def _check(probabilities: Sequence[float], confirmed: Sequence[bool]) -> None:
    if len(probabilities) != len(confirmed):
        raise ValueError("as many answers as probabilities needed")
    if not all(0.0 <= p <= 1.0 for p in probabilities):
        raise ValueError("probabilities lie within 0..1")
