"""Failure within a horizon by a committee: several horizons, several draws of what did not fail.

Where failures are rare, one boosting of all rows tells them apart by chance as much as by signs.
Here each member is learnt from other units, from another draw of those that never failed, and for
one of several horizons: what ends within a quarter looks much like what ends within a month, and
three times as many rows show it.  A member never sees the units of its fold, so that the same
members give the left-out scores from which isotonic regression learns the probability.

Sources: a committee of the models of cross-validation: B. Parmanto, P. Munro, H. Doyle, "Improving
committee diagnosis with resampling techniques", NIPS 1995; bagging over draws of the frequent
class: B. Wallace et al., "Class imbalance, redux", ICDM 2011; a target averaged over related
tasks: R. Caruana, "Multitask learning", Machine Learning 28 (1997) 41-75.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData
from predict.failure_soon import LEAST_FAILURES, brier

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.isotonic import IsotonicRegression

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CommitteeConfig:
    """The one frozen configuration.

    rounds, rate, leaves, leaf_rows, shrink: of the boosting: many small steps, large leaves.
    folds: of units; as many members for each horizon.  quiet_share: share of the units that never
    failed that a member sees, each weighing the more.  categories: places of columns that hold the
    number of a name, below 255, not an amount.
    """

    rounds: int = 160
    rate: float = 0.04
    leaves: int = 8
    leaf_rows: int = 100
    shrink: float = 1.0
    folds: int = 4
    quiet_share: float = 1.0
    categories: tuple[int, ...] = ()


DEFAULT = CommitteeConfig()


@dataclass(frozen=True, slots=True)
class Committee:
    """A fitted committee.

    brier, base_brier: of probabilities of left-out units, calibrated on the others, and of the
    base rate.  n, failures: rows it rests on, and those of them before a failure.
    """

    members: tuple[HistGradientBoostingClassifier, ...]
    calibration: IsotonicRegression
    base_rate: float
    brier: float
    base_brier: float
    n: int
    failures: int

    def raw(self, rows: ArrayLike) -> Array:
        """Return the mean log-odds of the members, for ranking, shape (n,)."""
        return _mean_log_odds(self.members, np.asarray(rows, dtype=np.float64))

    def probability(self, rows: ArrayLike) -> Array:
        """Return the calibrated probability to fail within the first horizon, shape (n,)."""
        return np.asarray(self.calibration.predict(self.raw(rows)), dtype=np.float64)


def fit_committee(
    rows: ArrayLike,
    labels: ArrayLike,
    unit: ArrayLike,
    rng: np.random.Generator,
    config: CommitteeConfig = DEFAULT,
    weight: ArrayLike | None = None,
) -> Committee:
    """Fit the committee.

    Args:
        rows: shape (n, k), features; NaN = not known.
        labels: shape (n, h), of `failure_soon.fails_within`: the horizon asked about first, then
            longer ones; NaN = not known yet, left out for that horizon alone.
        unit: shape (n,), folds and draws go by it.
        rng: assigns units to folds, draws the quiet ones.
        config: the frozen configuration.
        weight: shape (n,), moments in service that a row stands for; 1 unless given.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES` positive rows of the first horizon, or these in
            fewer units than folds, or no negative row.
        ValueError: shapes differ, or a label is neither 0, 1 nor NaN.
    """
    x, y, who, share = _checked(rows, labels, unit, weight, config.folds)
    asked = np.isfinite(y[:, 0])
    failing = np.zeros(int(who.max()) + 1, dtype=np.bool_)
    failing[who[(y > 0.0).any(axis=1)]] = True
    fold = _folds(failing, rng, config.folds)[who]
    members: list[HistGradientBoostingClassifier] = []
    left_out = np.full(len(x), np.nan)
    for k in range(config.folds):
        own = []
        for label in y.T:
            drawn = failing | (rng.random(len(failing)) < config.quiet_share)
            seen = np.isfinite(label) & (fold != k) & drawn[who]
            heavier = share[seen] / np.where(failing[who[seen]], 1.0, config.quiet_share)
            own.append(_member(config, len(members) + len(own), x[seen], label[seen], heavier))
        place = asked & (fold == k)
        left_out[place] = _mean_log_odds(own, x[place])
        members += own
    score, label, heavy, fold = left_out[asked], y[asked, 0], share[asked], fold[asked]
    said = np.empty(len(label))
    for k in range(config.folds):
        said[fold == k] = _isotonic(score[fold != k], label[fold != k], heavy[fold != k]).predict(
            score[fold == k]
        )
    rate = float(np.average(label, weights=heavy))
    return Committee(
        tuple(members),
        _isotonic(score, label, heavy),
        rate,
        brier(said, label, heavy),
        brier(np.full(len(label), rate), label, heavy),
        len(label),
        int(label.sum()),
    )


def _checked(
    rows: ArrayLike, labels: ArrayLike, unit: ArrayLike, weight: ArrayLike | None, folds: int
) -> tuple[Array, Array, NDArray[np.int64], Array]:
    """Return rows, labels, number of each row's unit and weight; see `fit_committee`."""
    x, y = np.asarray(rows, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    who = np.unique(np.asarray(unit), return_inverse=True)[1]
    share = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or not len(x) == len(y) == len(who) == len(share):
        raise ValueError("rows (n, k), labels (n, h), unit (n,) and weight (n,) needed")
    if not np.isin(y[np.isfinite(y)], (0.0, 1.0)).all():
        raise ValueError("labels are 0, 1 or NaN")
    if not (np.isfinite(share) & (share > 0.0)).all():
        raise ValueError("weights must be finite and above 0")
    ends = y[:, 0] > 0.0
    enough = ends.sum() >= LEAST_FAILURES and len(np.unique(who[ends])) >= folds
    if not enough or not (y[:, 0] == 0.0).any():
        raise NotEnoughData(f"{LEAST_FAILURES} moments before failures of {folds} units needed")
    return x, y, who, share


def _isotonic(score: Array, label: Array, weight: Array) -> IsotonicRegression:
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415  (seconds, which few starts need)

    found = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    return found.fit(score, label, weight)


def _folds(failing: NDArray[np.bool_], rng: np.random.Generator, folds: int) -> NDArray[np.int64]:
    """Return the fold of each unit; those that fail and those that do not are spread alike."""
    fold = np.empty(len(failing), dtype=np.int64)
    for kind in (failing, ~failing):
        fold[kind] = rng.permutation(int(kind.sum())) % folds
    return fold


def _member(
    config: CommitteeConfig, seed: int, x: Array, y: Array, weight: Array
) -> HistGradientBoostingClassifier:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (seconds, which few starts need)

    if not 0.0 < y.sum() < len(y):
        raise NotEnoughData("failures of more units, and units without one, needed")
    return HistGradientBoostingClassifier(
        max_iter=config.rounds,
        learning_rate=config.rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.leaf_rows,
        l2_regularization=config.shrink,
        categorical_features=list(config.categories) or None,
        early_stopping=False,
        random_state=seed,
    ).fit(x, y, weight)


def _mean_log_odds(
    members: tuple[HistGradientBoostingClassifier, ...] | list[HistGradientBoostingClassifier],
    rows: Array,
) -> Array:
    if not len(rows):
        return np.empty(0)
    return np.asarray(np.mean([m.decision_function(rows) for m in members], axis=0))
