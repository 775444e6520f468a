"""Remaining life of a unit from its sensors, learnt from units that were run to their end.

Sensors and indices of health learnt from them (`health_index`) make causal features (`features`);
histogram gradient boosting and a smooth regression (`kernel_regression`) are averaged over seeds.
The target is capped, since a unit that is as good as new shows nothing of its end.  The interval
comes from the errors on units left out (`conformal`), binned by prediction: narrow where the end
is near.

Sources: J. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
Statistics 29 (2001) 1189-1232; G. Ke et al., "LightGBM", NIPS 2017 (histograms); piecewise-linear
target: F. Heimes, "Recurrent neural networks for remaining useful life estimation", PHM 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from predict.conformal import Calibration, calibrate, least_units
from predict.errors import NotEnoughData
from predict.features import Array, History, Windows, causal_features
from predict.health_index import HealthIndex, fit_health_index
from predict.kernel_regression import KernelConfig, KernelRegression, fit_kernel_regression
from predict.regimes import Normaliser, fit_normaliser

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor


@dataclass(frozen=True, slots=True)
class RemainingLifeConfig:
    """The one frozen configuration.

    windows: of the features.  cap: of the target, in the unit of age.  health: caps of the
    indices of health, as shares of `cap`; health_shrink: their ridge, in readings.
    far, far_step, step: each `step`-th row is learnt, and of the rows further than `far` from
    the end each `far_step`-th alone: neighbours look alike.
    seeds: pairs of models averaged; each begins to count the rows elsewhere.
    rounds, rate, leaves, leaf_rows, share, shrink: of the boosting; `share` of the features is
    tried at each split.  kernel: the smooth regression; kernel_share: its share in the average.
    folds: of units, for the interval.  cuts: moments of each left-out unit that calibrate it.
    first_cut: readings before the first of them.  bins: of the interval.
    """

    windows: Windows = field(default_factory=Windows)
    cap: float = 125.0
    health: tuple[float, ...] = (1.0, 0.32)
    health_shrink: float = 10.0
    far: float = 130.0
    step: int = 3
    far_step: int = 6
    seeds: tuple[int, ...] = (0, 1, 2)
    rounds: int = 250
    rate: float = 0.06
    leaves: int = 10
    leaf_rows: int = 100
    share: float = 0.3
    shrink: float = 1.0
    kernel: KernelConfig = field(default_factory=KernelConfig)
    kernel_share: float = 0.4
    folds: int = 5
    cuts: int = 6
    first_cut: int = 25
    bins: int = 8
    confidence: float = 0.9


DEFAULT = RemainingLifeConfig()

LEAST_UNITS = 10
"""Units run to their end below which a model would only repeat them."""


@dataclass(frozen=True, slots=True)
class RemainingLife:
    """What is left of one unit, in the unit of age; never above `cap`, which reads "or more"."""

    unit: str
    value: float
    low: float
    high: float
    cap: float
    confidence: float
    n_units: int


@dataclass(frozen=True, slots=True)
class Member:
    """A boosted and a smooth model of the same rows; `share` of the smooth one in the average."""

    boosted: HistGradientBoostingRegressor
    smooth: KernelRegression
    share: float

    def predict(self, rows: Array) -> Array:
        """Return the average of both at each row, shape (n,)."""
        boosted = np.asarray(self.boosted.predict(rows), dtype=np.float64)
        return (1.0 - self.share) * boosted + self.share * self.smooth.predict(rows)


@dataclass(frozen=True, slots=True)
class RemainingLifeModel:
    """A fitted model; make one with `fit_remaining_life`."""

    config: RemainingLifeConfig
    normaliser: Normaliser
    health: HealthIndex
    members: tuple[Member, ...]
    n_units: int
    calibration: Calibration | None = None

    def features(self, history: History) -> Array:
        """Return the features of every row of a unit, shape (n, k)."""
        scores = self.normaliser.standardise(history)
        health = self.health.of(scores, self.normaliser.regime(history.conditions))
        return causal_features(history.at, np.hstack([scores, health]), self.config.windows)

    def predict(self, rows: Array) -> Array:
        """Return the remaining life at each row of features, 0..cap, shape (n,)."""
        if not len(rows):
            return np.empty(0)
        mean = np.mean([member.predict(rows) for member in self.members], axis=0)
        return np.asarray(np.clip(mean, 0.0, self.config.cap))

    def now(self, histories: Sequence[History]) -> list[RemainingLife]:
        """Return what is left of each unit at its last reading.

        Raises:
            NotEnoughData: a unit without a reading, or a model without a calibration.
        """
        if self.calibration is None or any(not len(h.at) for h in histories):
            raise NotEnoughData("a reading of each unit and a calibrated model needed")
        if not histories:
            return []
        value = self.predict(np.array([self.features(h)[-1] for h in histories]))
        low, high = self.calibration.interval(value, least=0.0, most=self.config.cap)
        return [
            RemainingLife(
                h.unit, v, a, b, self.config.cap, self.calibration.confidence, self.n_units
            )
            for h, v, a, b in zip(
                histories, value.tolist(), low.tolist(), high.tolist(), strict=True
            )
        ]


def fit_members(
    histories: Sequence[History], ends: Sequence[float], config: RemainingLifeConfig = DEFAULT
) -> RemainingLifeModel:
    """Fit the model without an interval; see `fit_remaining_life`."""
    _check(histories, ends)
    normaliser = fit_normaliser(histories)
    health = _health(histories, ends, normaliser, config)
    bare = RemainingLifeModel(config, normaliser, health, (), len(histories))
    features = np.concatenate([bare.features(h) for h in histories])
    left = _left(histories, ends)
    place = np.concatenate([np.arange(len(h.at)) for h in histories])
    members = []
    for seed in config.seeds:
        near = (place + seed) % config.step == 0
        learnt = np.where(left <= config.far, near, (place + seed) % config.far_step == 0)
        x, y = features[learnt], np.minimum(left[learnt], config.cap)
        smooth = fit_kernel_regression(x, y, config.kernel, seed)
        members.append(Member(_boosted(config, seed).fit(x, y), smooth, config.kernel_share))
    return replace(bare, members=tuple(members))


def fit_remaining_life(
    histories: Sequence[History],
    ends: Sequence[float],
    rng: np.random.Generator,
    config: RemainingLifeConfig = DEFAULT,
) -> RemainingLifeModel:
    """Fit the model and its interval.

    Args:
        histories: units run to their end, one history each; equal units share a name.
        ends: age at the end of each, not before its last reading.
        rng: assigns units to folds and draws the moments that calibrate the interval.
        config: the frozen configuration.

    Raises:
        NotEnoughData: fewer than `LEAST_UNITS` units, or too few for the interval's promise.
        ValueError: an end before the unit's last reading (a reading from after the end), or
            counts that differ.
    """
    _check(histories, ends)
    if len({h.unit for h in histories}) < least_units(config.confidence):
        raise NotEnoughData(f"{least_units(config.confidence)} units run to their end needed")
    predicted, truth, unit = left_out(histories, ends, rng, config)
    calibration = calibrate(
        predicted, truth, unit, confidence=config.confidence, bins=config.bins, even=True
    )
    model = fit_members(histories, ends, config)
    return replace(model, calibration=calibration)


def left_out(
    histories: Sequence[History],
    ends: Sequence[float],
    rng: np.random.Generator,
    config: RemainingLifeConfig = DEFAULT,
) -> tuple[Array, Array, NDArray[np.str_]]:
    """Return prediction, capped truth and unit at random moments of units left out of the fit.

    One seed a fold: the interval is then a little wide for the average of all seeds, never
    narrow.  Moments lie evenly over the last `cap` and a fifth, where the forecast matters.
    """
    names = np.array([h.unit for h in histories])
    distinct = np.unique(names)
    folds = dict(zip(distinct, rng.permutation(len(distinct)) % config.folds, strict=True))
    fold = np.array([folds[name] for name in names])
    single = replace(config, seeds=config.seeds[:1])
    predicted, truth, unit = [], [], []
    for k in range(config.folds):
        inside = [i for i in range(len(histories)) if fold[i] != k]
        model = fit_members([histories[i] for i in inside], [ends[i] for i in inside], single)
        for i in np.flatnonzero(fold == k).tolist():
            rows = _moments(histories[i], ends[i], rng, config)
            predicted.append(model.predict(model.features(histories[i])[rows]))
            truth.append(np.minimum(ends[i] - histories[i].at[rows], config.cap))
            unit.append(np.full(len(rows), names[i]))
    return np.concatenate(predicted), np.concatenate(truth), np.concatenate(unit)


def _moments(
    history: History, end: float, rng: np.random.Generator, config: RemainingLifeConfig
) -> NDArray[np.int64]:
    wanted = end - rng.uniform(0.0, 1.2 * config.cap, config.cuts)
    rows = np.searchsorted(history.at, wanted, side="right") - 1
    return np.unique(rows[rows >= min(config.first_cut, len(history.at) - 1)])


def _left(histories: Sequence[History], ends: Sequence[float]) -> Array:
    return np.concatenate([end - h.at for h, end in zip(histories, ends, strict=True)])


def _health(
    histories: Sequence[History],
    ends: Sequence[float],
    normaliser: Normaliser,
    config: RemainingLifeConfig,
) -> HealthIndex:
    scores = np.concatenate([normaliser.standardise(h) for h in histories])
    regime = np.concatenate([normaliser.regime(h.conditions) for h in histories])
    caps = [share * config.cap for share in config.health]
    return fit_health_index(
        scores, regime, _left(histories, ends), caps, shrink=config.health_shrink
    )


def _boosted(config: RemainingLifeConfig, seed: int) -> HistGradientBoostingRegressor:
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  (seconds, which few starts need)

    return HistGradientBoostingRegressor(
        max_iter=config.rounds,
        learning_rate=config.rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.leaf_rows,
        max_features=config.share,
        l2_regularization=config.shrink,
        early_stopping=False,
        random_state=seed,
    )


def _check(histories: Sequence[History], ends: Sequence[float]) -> None:
    if len(histories) != len(ends):
        raise ValueError("one end a history needed")
    for history, end in zip(histories, ends, strict=True):
        if len(history.at) and not np.isfinite(end):
            raise ValueError(f"unit {history.unit}: its end is not known")
        if len(history.at) and history.at[-1] > end:
            raise ValueError(f"unit {history.unit}: a reading from after its end")
    if len({h.unit for h in histories}) < LEAST_UNITS:
        raise NotEnoughData(f"{LEAST_UNITS} units run to their end needed")
