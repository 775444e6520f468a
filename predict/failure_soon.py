"""How likely a unit fails within a horizon, from its log of events, its age and its make.

Rows are moments of a unit; each feature is a count or an age of events up to that moment, the
label whether a failure follows within the horizon.  Gradient boosting gives a score, isotonic
regression on units left out turns it into a probability.

Sources: boosting: J. Friedman, Annals of Statistics 29 (2001) 1189-1232; calibration: B. Zadrozny,
C. Elkan, KDD 2002, 694-699; Brier's score: G. Brier, Monthly Weather Review 78 (1950) 1-3; the
threshold from costs: C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.isotonic import IsotonicRegression

Array = NDArray[np.float64]

LEAST_FAILURES = 10
"""Failures on units left out below which no probability can be checked."""


def event_features(
    events: Mapping[str, ArrayLike], at: ArrayLike, windows: Sequence[float]
) -> Array:
    """Return, by kind of event, counts in each window (t - w, t] and the time since the last.

    Args:
        events: times by kind, in any order; the same kinds in the same order for every unit.
        at: shape (n,), moments asked about, in the unit of the events' times.
        windows: lengths, in the same unit.

    Returns:
        Shape (n, kinds * (windows + 1)); the time since is NaN before the first event.

    >>> event_features({"leak": [1.0, 4.0]}, [3.0, 5.0], [2.0, 9.0]).tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 1.0]]
    """
    moments = np.asarray(at, dtype=np.float64)
    columns = []
    for times in events.values():
        past = np.sort(np.asarray(times, dtype=np.float64))
        upto = np.searchsorted(past, moments, side="right")
        before = [np.searchsorted(past, moments - window, side="right") for window in windows]
        columns += [(upto - first).astype(np.float64) for first in before]
        last = np.append(past, np.nan)[upto - 1]
        columns.append(np.where(upto > 0, moments - last, np.nan))
    return np.column_stack(columns) if columns else np.empty((len(moments), 0))


def fails_within(
    failures: ArrayLike, at: ArrayLike, horizon: float, *, known_until: float
) -> Array:
    """Return 1 where a failure lies in (t, t + horizon], 0 where none does, NaN where not known.

    A moment whose horizon ends after `known_until` has no label yet, whatever has come by then:
    of the latest moments failures are known before their absence, and learning from these alone
    would be learning that whatever is recent fails.

    >>> fails_within([10.0, 19.0], [3.0, 9.0, 10.0, 18.0], 5.0, known_until=20.0).tolist()
    [0.0, 1.0, 0.0, nan]
    """
    moments = np.asarray(at, dtype=np.float64)
    when = np.sort(np.asarray(failures, dtype=np.float64))
    first = np.searchsorted(when, moments, side="right")
    soon = np.append(when, np.inf)[first] <= moments + horizon
    return np.where(moments + horizon > known_until, np.nan, soon.astype(np.float64))


@dataclass(frozen=True, slots=True)
class FailureSoonConfig:
    """The one frozen configuration: of the boosting, and of the folds that calibrate it.

    categories: places of columns that hold the number of a name, below 255, not an amount.
    """

    rounds: int = 120
    rate: float = 0.08
    leaves: int = 15
    leaf_rows: int = 40
    shrink: float = 1.0
    folds: int = 3
    categories: tuple[int, ...] = ()


DEFAULT = FailureSoonConfig()


@dataclass(frozen=True, slots=True)
class FailureSoonModel:
    """A fitted model.  brier, base_brier: of the left-out units, and of the base rate there."""

    classifier: HistGradientBoostingClassifier
    calibration: IsotonicRegression
    base_rate: float
    brier: float
    base_brier: float
    n: int
    failures: int

    @property
    def is_better_than_base_rate(self) -> bool:
        """Whether it says more than how often units fail."""
        return self.brier < self.base_brier

    def raw(self, rows: ArrayLike) -> Array:
        """Return the uncalibrated score, for ranking, shape (n,)."""
        return np.asarray(self.classifier.predict_proba(np.asarray(rows))[:, 1], dtype=np.float64)

    def probability(self, rows: ArrayLike) -> Array:
        """Return the calibrated probability to fail within the horizon, shape (n,)."""
        return np.asarray(self.calibration.predict(self.raw(rows)), dtype=np.float64)


def fit_failure_soon(
    rows: ArrayLike,
    label: ArrayLike,
    unit: ArrayLike,
    rng: np.random.Generator,
    config: FailureSoonConfig = DEFAULT,
    weight: ArrayLike | None = None,
) -> FailureSoonModel:
    """Fit the model.

    Args:
        rows: shape (n, k), features; NaN = not known.  Moments as regular as in service: where
            they are thinned unevenly, `weight` must say so, or the probabilities would be wrong.
        label: shape (n,), of `fails_within`; rows with NaN are left out.
        unit: shape (n,), folds go by it.
        rng: assigns units to folds.
        config: the frozen configuration.
        weight: shape (n,), moments in service that a row stands for; 1 unless given.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES` positive rows, all in fewer units than folds,
            or no negative row.
        ValueError: shapes differ, or a label is neither 0, 1 nor NaN.
    """
    x, y = np.asarray(rows, dtype=np.float64), np.asarray(label, dtype=np.float64)
    group = np.asarray(unit)
    share = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if share.shape != y.shape or not (np.isfinite(share) & (share > 0.0)).all():
        raise ValueError("weights (n,), finite and above 0 needed")
    if x.ndim != 2 or not len(x) == len(y) == len(group):
        raise ValueError("rows (n, k), label (n,) and unit (n,) needed")
    known = np.isfinite(y)
    x, y, group, share = x[known], y[known], group[known], share[known]
    # Weights that are all 1 change nothing, but make the boosting sort each column 254 times.
    uneven = None if weight is None else share
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("labels are 0, 1 or NaN")
    names = np.unique(group)
    if y.sum() < LEAST_FAILURES or len(np.unique(group[y > 0])) < config.folds or y.all():
        raise NotEnoughData(
            f"{LEAST_FAILURES} moments before failures of {config.folds} units needed"
        )
    fold = (rng.permutation(len(names)) % config.folds)[np.searchsorted(names, group)]
    left_out = np.empty(len(y))
    for k in range(config.folds):
        inside = fold != k
        if not 0.0 < y[inside].sum() < inside.sum():
            raise NotEnoughData("failures of more units needed")
        theirs = None if uneven is None else uneven[inside]
        member = _classifier(config).fit(x[inside], y[inside], theirs)
        left_out[~inside] = member.predict_proba(x[~inside])[:, 1]
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415  (seconds, which few starts need)

    calibration = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    rate = float(np.average(y, weights=share))
    return FailureSoonModel(
        _classifier(config).fit(x, y, uneven),
        calibration.fit(left_out, y, share),
        rate,
        brier(left_out, y, share),
        brier(np.full(len(y), rate), y, share),
        len(y),
        int(y.sum()),
    )


def _classifier(config: FailureSoonConfig) -> HistGradientBoostingClassifier:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (seconds, which few starts need)

    return HistGradientBoostingClassifier(
        max_iter=config.rounds,
        learning_rate=config.rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.leaf_rows,
        l2_regularization=config.shrink,
        categorical_features=list(config.categories) or None,
        early_stopping=False,
        random_state=0,
    )


def brier(probability: ArrayLike, label: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the (weighted) mean squared error of probabilities; less is better."""
    error = (np.asarray(probability) - np.asarray(label)) ** 2
    return float(np.average(error, weights=None if weight is None else np.asarray(weight)))


def cost_threshold(planned: float, failure: float, averted: float = 1.0) -> float:
    """Return the probability from which acting is cheaper than waiting.

    Acting costs `planned` whatever happens; waiting costs `failure` with the probability p; acting
    averts a share `averted` of failures: act where p * averted * failure > planned.

    Returns:
        A probability; above 1 means: never act on this forecast.

    >>> cost_threshold(planned=200.0, failure=2000.0, averted=0.8)
    0.125
    """
    if not (planned > 0.0 and failure > 0.0 and 0.0 < averted <= 1.0):
        raise ValueError("planned > 0, failure > 0 and 0 < averted <= 1 needed")
    return planned / (failure * averted)
