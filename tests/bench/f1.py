"""The F1 of warnings: its best threshold, its interval over units, the best one could expect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

Array = NDArray[np.float64]


def best_f1(label: Array, score: Array) -> float:
    """Return the threshold with the best F1."""
    precision, recall, thresholds = precision_recall_curve(label, score)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return float(thresholds[int(f1[:-1].argmax())])


def f1(label: Array, said: NDArray[np.bool_]) -> dict[str, float]:
    hit = float((said & (label > 0)).sum())
    precision, recall = hit / max(float(said.sum()), 1.0), hit / float((label > 0).sum())
    return {
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 3),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
    }


def interval(label: Array, said: NDArray[np.bool_], unit: Array) -> list[float]:
    """Return the 95 % interval of F1 over machines drawn again with replacement."""
    names = np.unique(unit)
    sums = np.array(
        [
            [
                (said & (label > 0))[unit == n].sum(),
                said[unit == n].sum(),
                (label > 0)[unit == n].sum(),
            ]
            for n in names
        ]
    )
    drawn = sums[np.random.default_rng(0).integers(0, len(names), (1000, len(names)))].sum(axis=1)
    low, high = np.quantile(2 * drawn[:, 0] / (drawn[:, 1] + drawn[:, 2]), [0.025, 0.975])
    return [round(float(low), 3), round(float(high), 3)]


def best_expected_f1(probability: Array) -> float:
    """Return the F1 that the best threshold would have on average, were the probabilities true."""
    p = np.sort(probability)[::-1]
    return round(float((2 * np.cumsum(p) / (np.arange(1, len(p) + 1) + p.sum())).max()), 3)
