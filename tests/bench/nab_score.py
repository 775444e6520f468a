"""The Numenta Anomaly Benchmark's score, written anew from its published description.

Source: A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms - the Numenta
Anomaly Benchmark", 14th IEEE ICMLA (2015) 38-44, section III: the earliest detection in a
window earns up to 1, a missed window costs a false-negative weight, each detected row outside
windows costs up to a false-positive weight, less just behind a window; 0 is the score of a
detector that says nothing, 100 that of a perfect one; one threshold for all series, chosen
per profile.  The first 15 % of a series (of 5,000 rows at most) are not judged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.nab_data import Series

PROBATION = 0.15
PROBATION_ROWS = 5000
FAR_BEHIND = 3.0


@dataclass(frozen=True)
class Profile:
    """Weights of a true detection, a missed window and a false detection."""

    tp: float
    fn: float
    fp: float


@dataclass(frozen=True)
class Rows:
    """The judged rows of all series: score, worth if detected, window (-1 outside), category."""

    score: NDArray[np.float64]
    worth: NDArray[np.float64]
    window: NDArray[np.int64]
    category: NDArray[np.str_]
    window_category: list[str]


def judge(series: list[Series], scores: list[NDArray[np.float64]]) -> Rows:
    """Return what each row would be worth; `scores` are as long as their series, >= 0."""
    parts, categories = [], []
    for one, score in zip(series, scores, strict=True):
        worth, window = _worth(one)
        first = int(PROBATION * min(len(worth), PROBATION_ROWS))
        window = np.where(window >= 0, window + len(categories), -1)
        parts.append((score[first:], worth[first:], window[first:], one.category))
        categories += [one.category] * len(one.windows)
    return Rows(
        score=np.concatenate([p[0] for p in parts]),
        worth=np.concatenate([p[1] for p in parts]),
        window=np.concatenate([p[2] for p in parts]),
        category=np.concatenate([np.full(len(p[0]), p[3]) for p in parts]),
        window_category=categories,
    )


def normalised(rows: Rows, profile: Profile, threshold: float, category: str = "") -> float:
    """Return the points at `threshold`, 0 silent, 100 perfect, of one category or of all."""
    chosen = rows.score >= threshold
    if category:
        chosen &= rows.category == category
    windows = [k for k, c in enumerate(rows.window_category) if category in ("", c)]
    if not windows:
        return float("nan")
    best = np.full(len(rows.window_category), -profile.fn)
    inside = chosen & (rows.window >= 0)
    np.maximum.at(best, rows.window[inside], rows.worth[inside] * profile.tp)
    raw = best[windows].sum() + profile.fp * rows.worth[chosen & (rows.window < 0)].sum()
    silent, perfect = -profile.fn * len(windows), profile.tp * len(windows)
    return float(100.0 * (raw - silent) / (perfect - silent))


def best_threshold(rows: Rows, profile: Profile) -> float:
    """Return the threshold with the highest total; each score that occurs is tried once."""
    order = np.argsort(-rows.score, kind="stable")
    order = order[rows.score[order] > 0]
    best = np.full(len(rows.window_category), -profile.fn)
    gains = np.zeros(len(order))
    for place, row in enumerate(order):
        window, worth = rows.window[row], rows.worth[row]
        if window < 0:
            gains[place] = profile.fp * worth
        elif worth * profile.tp > best[window]:
            gains[place] = worth * profile.tp - best[window]
            best[window] = worth * profile.tp
    total = np.cumsum(gains)
    last_of_tie = np.append(rows.score[order][1:] != rows.score[order][:-1], [True])
    total[~last_of_tie] = -np.inf
    if not len(total) or total.max() <= 0:
        return float("inf")
    return float(rows.score[order[int(total.argmax())]])


def _worth(series: Series) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return, by row, what detecting it is worth (unweighted) and its window or -1."""
    count = len(series.at)
    worth, window = np.full(count, -1.0), np.full(count, -1)
    rights = []
    for k, (left, right) in enumerate(series.windows):
        a, b = (int(np.flatnonzero(series.at == edge)[0]) for edge in (left, right))
        window[a : b + 1] = k
        inside = np.arange(a, b + 1)
        worth[a : b + 1] = _sigmoid(-(b - inside + 1) / (b - a + 1)) / _sigmoid(-1.0)
        rights.append((b, b - a))
    for k, (b, width) in enumerate(rights):
        behind = np.arange(b + 1, series_end(series, k, count))
        worth[behind] = _sigmoid((behind - b) / width)
    return worth, window


def series_end(series: Series, k: int, count: int) -> int:
    """Return the row where the stretch behind window `k` ends: the next window or the end."""
    if k + 1 == len(series.windows):
        return count
    return int(np.flatnonzero(series.at == series.windows[k + 1][0])[0])


def _sigmoid(place: float | NDArray[np.float64]) -> NDArray[np.float64]:
    place = np.asarray(place, dtype=float)
    return np.where(place > FAR_BEHIND, -1.0, 2.0 / (1.0 + np.exp(5.0 * place)) - 1.0)
