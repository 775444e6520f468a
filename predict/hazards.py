"""Risk of failing that depends on many things: Cox's model, and boosting on discrete hazards.

Sources: D. Cox, "Regression models and life-tables", JRSS B 34 (1972) 187-220, ties by B. Efron,
JASA 72 (1977) 557-565 (fitted by statsmodels); baseline by N. Breslow, ibid. 216-217.
Discrete hazard: a row for each period a unit was watched in, labelled by whether it failed
there, is a likelihood of the censored lives (C. Brown, Biometrics 31 (1975) 863-872); the rows
are learnt by gradient boosting (J. Friedman 2001).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData
from predict.survival import Lives

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

Array = NDArray[np.float64]

LEAST_FAILURES = 10
"""Failures needed for each covariate (P. Peduzzi et al., J. Clinical Epidemiology 48, 1995)."""

LEAST_EVENTS = 20
"""Failures below which boosting would only repeat them."""


@dataclass(frozen=True, slots=True)
class Cox:
    """Hazard ratios by covariate with their 95 % intervals, and the baseline to predict with.

    ratio, low, high: shape (k,), for one unit more of each covariate.  age, cumulative: shape
    (m,), the baseline's cumulative hazard.  n, failures: what it rests on.
    """

    ratio: Array
    low: Array
    high: Array
    age: Array
    cumulative: Array
    n: int
    failures: int

    def survival(self, age: float, x: ArrayLike) -> Array:
        """Return the share alive at `age` of units `x`, shape (n, k) -> (n,)."""
        place = int(np.searchsorted(self.age, age, side="right"))
        hazard = self.cumulative[place - 1] if place else 0.0
        return np.asarray(np.exp(-hazard * np.exp(np.atleast_2d(x) @ np.log(self.ratio))))


def fit_cox(watched: Lives, x: ArrayLike) -> Cox:
    """Fit Cox's proportional hazards, late entries left out of the risk sets before they enter.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES` failures a covariate.
        ValueError: covariates are not (n, k) and finite.
    """
    rows = _rows(x, len(watched.exit))
    if watched.failures < LEAST_FAILURES * rows.shape[1]:
        raise NotEnoughData(f"{LEAST_FAILURES * rows.shape[1]} failures needed")
    from statsmodels.duration.hazard_regression import PHReg  # noqa: PLC0415  (seconds, which few starts need)

    model = PHReg(
        watched.exit, rows, status=watched.failed.astype(int), entry=watched.entry, ties="efron"
    )
    found = model.fit()
    limits = np.asarray(found.conf_int(), dtype=np.float64)
    beta = np.asarray(found.params, dtype=np.float64)
    age, deaths = np.unique(watched.exit[watched.failed], return_counts=True)
    risk = np.exp(rows @ beta)
    at_risk = [risk[(watched.entry < a) & (watched.exit >= a)].sum() for a in age]
    return Cox(
        np.exp(beta),
        np.exp(limits[:, 0]),
        np.exp(limits[:, 1]),
        age,
        np.cumsum(deaths / np.array(at_risk)),
        len(watched.exit),
        watched.failures,
    )


@dataclass(frozen=True, slots=True)
class DiscreteHazard:
    """A boosted hazard by period of age; the last period goes on for ever."""

    edges: Array
    classifier: HistGradientBoostingClassifier
    n: int
    failures: int

    def survival(self, x: ArrayLike, from_age: float = 0.0) -> Array:
        """Return the share alive at the end of each period, given `from_age`, shape (n, periods).

        Periods that end before `from_age` are 1; the one it lies in counts by its rest.
        """
        rows = np.atleast_2d(np.asarray(x, dtype=np.float64))
        start, end = self.edges[:-1], self.edges[1:]
        rest = np.clip((end - np.maximum(start, from_age)) / (end - start), 0.0, 1.0)
        alive = np.ones((len(rows), len(start)))
        for k, middle in enumerate((start + end) / 2.0):
            both = np.column_stack([np.full(len(rows), middle), rows])
            hazard = self.classifier.predict_proba(both)[:, 1]
            alive[:, k] = (1.0 - hazard) ** rest[k]
        return np.asarray(np.cumprod(alive, axis=1), dtype=np.float64)


def fit_discrete_hazard(
    watched: Lives, x: ArrayLike, edges: ArrayLike, *, rounds: int = 60, rate: float = 0.1
) -> DiscreteHazard:
    """Fit the boosted hazard.

    Args:
        watched: lives; one that ends within a period counts there only if it failed, or was
            watched for half of it.
        x: shape (n, k), covariates at the beginning; NaN = not known.
        edges: shape (periods + 1,), increasing ages.
        rounds: trees; few on purpose, hazards are smooth.
        rate: weight of each tree.

    Raises:
        NotEnoughData: fewer than `LEAST_EVENTS` failures.
        ValueError: edges do not increase, or covariates differ in number.
    """
    cut = np.asarray(edges, dtype=np.float64)
    rows = np.asarray(x, dtype=np.float64)
    if (
        len(cut) < 2
        or (np.diff(cut) <= 0).any()
        or rows.ndim != 2
        or len(rows) != len(watched.exit)
    ):
        raise ValueError("increasing edges and covariates (n, k) needed")
    parts, labels = [], []
    for start, end in itertools.pairwise(cut):
        failed = watched.failed & (watched.exit > start) & (watched.exit <= end)
        seen = np.minimum(watched.exit, end) - np.maximum(watched.entry, start)
        inside = (failed & (watched.entry < end)) | (seen >= 0.5 * (end - start))
        parts.append(np.column_stack([np.full(inside.sum(), (start + end) / 2.0), rows[inside]]))
        labels.append(failed[inside])
    y = np.concatenate(labels)
    if y.sum() < LEAST_EVENTS:
        raise NotEnoughData(f"{LEAST_EVENTS} failures needed")
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (seconds, which few starts need)

    classifier = HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=rate, max_leaf_nodes=8, early_stopping=False, random_state=0
    )
    return DiscreteHazard(
        cut, classifier.fit(np.concatenate(parts), y), len(watched.exit), watched.failures
    )


def _rows(x: ArrayLike, n: int) -> Array:
    rows = np.asarray(x, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != n or not np.isfinite(rows).all():
        raise ValueError(f"covariates ({n}, k) and finite needed")
    return rows
