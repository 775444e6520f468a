"""How likely each part of a unit fails by its next visit: competing risks, shared by the fleet.

Most failures are found when somebody looks, so a part's life is counted in visits: a row is a part
before a visit, its label whether that part failed by it.  Boosting over all parts, makes and ages
shares what they have in common, and finds which part does not fail in which make.  A part's hazard
never falls with its own age.  Parts fail on their own: the unit survives by the product.

Sources: rows of periods as a likelihood of censored lives, C. Brown, Biometrics 31 (1975) 863-872;
competing risks in discrete time, G. Tutz, M. Schmid, "Modeling Discrete Time-to-Event Data"
(2016), ch. 8; boosting, J. Friedman, Annals of Statistics 29 (2001) 1189-1232.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from predict.errors import NotEnoughData
from predict.failure_soon import event_features

Array = NDArray[np.float64]

LEAST_FAILURES = 20
"""Failures below which boosting would only repeat them."""


@dataclass(frozen=True, slots=True)
class HazardConfig:
    """The one frozen configuration of the boosting."""

    rounds: int = 40
    rate: float = 0.06
    leaves: int = 5
    leaf_rows: int = 40
    shrink: float = 1.0


DEFAULT = HazardConfig()


def part_rows(
    replaced: Mapping[str, ArrayLike], at: ArrayLike, to_go: ArrayLike, fixed: ArrayLike
) -> Array:
    """Return a row a moment and part: which part, its age at the next visit, what is fixed.

    Args:
        replaced: times at which each part was replaced, the same parts in the same order always.
        at: shape (n,), moments; only replacements up to each are used.
        to_go: shape (n,), time to the unit's next visit, NaN = not known.
        fixed: shape (k,), of the unit: make, age.

    Returns:
        Shape (n, parts, 2 + k); the age is NaN before the first replacement.

    >>> part_rows({"belt": [1.0], "pump": [4.0]}, [5.0], [10.0], [2.0]).tolist()
    [[[0.0, 14.0, 2.0], [1.0, 11.0, 2.0]]]
    """
    moments, wait = np.asarray(at, dtype=np.float64), np.asarray(to_go, dtype=np.float64)
    own = np.asarray(fixed, dtype=np.float64)
    age = event_features(replaced, moments, ()) + wait[:, None]
    part = np.broadcast_to(np.arange(age.shape[1], dtype=np.float64), age.shape)
    same = np.broadcast_to(own, (*age.shape, len(own)))
    return np.concatenate([part[..., None], age[..., None], same], axis=2)


@dataclass(frozen=True, slots=True)
class VisitHazard:
    """Boosted hazards of parts; n rows and failures are what they rest on."""

    classifier: HistGradientBoostingClassifier
    n: int
    failures: int

    def hazards(self, rows: ArrayLike) -> Array:
        """Return how likely each part fails by the next visit, (n, parts, k) -> (n, parts)."""
        x = np.asarray(rows, dtype=np.float64)
        if not len(x):
            return np.empty(x.shape[:2])
        each, place = np.unique(x.reshape(-1, x.shape[2]), axis=0, return_inverse=True)
        found = self.classifier.predict_proba(each)[:, 1]
        return np.asarray(found[place.ravel()].reshape(x.shape[:2]), dtype=np.float64)


def fit_visit_hazard(
    rows: ArrayLike, failed: ArrayLike, config: HazardConfig = DEFAULT
) -> VisitHazard:
    """Fit the hazards.

    Args:
        rows: shape (n, parts, k), of `part_rows`, one moment before each visit.
        failed: shape (n, parts), 1 where the part failed by that visit; NaN = not known yet.
        config: the frozen configuration.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES` failures, or nothing else.
        ValueError: shapes differ, or a label is neither 0, 1 nor NaN.
    """
    x, label = np.asarray(rows, dtype=np.float64), np.asarray(failed, dtype=np.float64)
    if x.ndim != 3 or x.shape[:2] != label.shape:
        raise ValueError("rows (n, parts, k) and failed (n, parts) needed")
    known = np.isfinite(label)
    x, y = x[known], label[known]
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("labels are 0, 1 or NaN")
    if y.sum() < LEAST_FAILURES or y.all():
        raise NotEnoughData(f"{LEAST_FAILURES} failures and visits without one needed")
    classifier = HistGradientBoostingClassifier(
        max_iter=config.rounds,
        learning_rate=config.rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.leaf_rows,
        l2_regularization=config.shrink,
        categorical_features=[0],
        monotonic_cst=[0, 1] + [0] * (x.shape[1] - 2),
        early_stopping=False,
        random_state=0,
    )
    return VisitHazard(classifier.fit(x, y), len(y), int(y.sum()))


def any_fails(hazards: ArrayLike) -> Array:
    """Return the probability that at least one part fails, (n, parts) -> (n,).

    >>> any_fails([[0.5, 0.5], [0.0, 0.25]]).tolist()
    [0.75, 0.25]
    """
    return np.asarray(1.0 - np.prod(1.0 - np.asarray(hazards, dtype=np.float64), axis=1))


def soon_or_at_visit(
    near: ArrayLike, hazard: ArrayLike, to_go: ArrayLike, *, warned: float, horizon: float
) -> Array:
    """Return the probability to fail within `horizon`, where errors warn no earlier than `warned`.

    A visit within `warned` is told of by the errors; one after it and within the horizon by the
    wear of the parts alone; one later, or of an unknown day, adds nothing.

    Args:
        near: shape (n,), probability to fail within `warned`.
        hazard: shape (n,), of `any_fails`.
        to_go: shape (n,), time to the next visit, NaN = not known.
        warned: how early errors warn, in the unit of `to_go`.
        horizon: at least `warned`.

    >>> soon_or_at_visit([0.5] * 3, [0.2] * 3, [9.0, 30.0, 50.0], warned=24, horizon=48).tolist()
    [0.5, 0.6, 0.5]
    """
    if not 0.0 <= warned <= horizon:
        raise ValueError("0 <= warned <= horizon needed")
    wait, soon = np.asarray(to_go, dtype=np.float64), np.asarray(near, dtype=np.float64)
    later = np.where((wait > warned) & (wait <= horizon), np.asarray(hazard), 0.0)
    return np.asarray(1.0 - (1.0 - soon) * (1.0 - later), dtype=np.float64)
