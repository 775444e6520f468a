"""The smooth regression and the health index against exact solutions and another library."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LinearRegression

from predict.errors import NotEnoughData
from predict.health_index import fit_health_index
from predict.kernel_regression import KernelConfig, fit_kernel_regression


def bent(n, noise, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.uniform(-1, 1, (n, 2 + noise))
    return rows, np.sin(3 * rows[:, 0]) + rows[:, 1] ** 2


def test_with_every_row_a_landmark_it_is_kernel_ridge_regression():
    rows, target = bent(80, 0)
    config = KernelConfig(landmarks=80, reach=0.8, shrink=0.3, worth=0.0)
    fit = fit_kernel_regression(rows, target, config, seed=0)
    new = bent(30, 0, seed=1)[0]

    scores, asked = (np.clip((x - rows.mean(0)) / rows.std(0), -3, 3) for x in (rows, new))
    kernel = RBF(np.sqrt(scores.var(axis=0).sum() / (2 * 0.8)))
    inside, across = kernel(scores), kernel(asked, scores)
    centred = inside - inside.mean(axis=0)  # ridge leaves the mean out of the penalty
    centred = centred - centred.mean(axis=1, keepdims=True)
    weights = np.linalg.solve(centred + 0.3 * np.eye(80), target - target.mean())
    off = across - across.mean(axis=1, keepdims=True) - inside.mean(axis=0) + inside.mean()

    np.testing.assert_allclose(fit.predict(new), target.mean() + off @ weights, atol=1e-6)


def test_features_worth_nothing_do_not_blur_the_rest():
    rows, target = bent(600, 20)
    new, truth = bent(300, 20, seed=1)
    weighed, alike = (
        fit_kernel_regression(rows, target, KernelConfig(300, worth=w), 0) for w in (1.0, 0.0)
    )

    assert weighed.weight[:2].min() > 2 * weighed.weight[2:].max()
    error = [np.sqrt(((fit.predict(new) - truth) ** 2).mean()) for fit in (weighed, alike)]
    assert error[0] < 0.5 * error[1]


def test_missing_constant_and_wild_values_are_borne():
    rows, target = bent(200, 1)
    rows[::7, 0], rows[:, 2] = np.nan, 5.0
    fit = fit_kernel_regression(rows, target, KernelConfig(100), 0)
    wild = np.array([[1e9, 0.0, 7.0], [np.nan, np.nan, np.nan]])

    assert np.isfinite(fit.predict(wild)).all()
    assert fit.weight[2] < 1e-12
    with pytest.raises(NotEnoughData, match="moves"):
        fit_kernel_regression(np.ones((50, 2)), np.arange(50.0), KernelConfig(), 0)


def test_an_index_weighs_sensors_by_regime_as_least_squares_does():
    rng = np.random.default_rng(3)
    left, regime = rng.uniform(0, 100, 600), rng.integers(0, 2, 600)
    scores = rng.normal(0, 0.5, (600, 3))
    scores[np.arange(600), regime] += (left - 50) / 30  # each regime shows it in another sensor

    fit = fit_health_index(scores, regime, left, [100.0, 30.0], shrink=0.0)
    index = fit.of(scores, regime)

    np.testing.assert_allclose(index.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(index.std(axis=0), 1.0, atol=1e-9)
    for k, cap in enumerate((100.0, 30.0)):
        said = np.empty(600)
        for r in (0, 1):
            inside, target = scores[regime == r], np.minimum(left, cap)[regime == r]
            said[regime == r] = LinearRegression().fit(inside, target).predict(inside)
        np.testing.assert_allclose(index[:, k], (said - said.mean()) / said.std(), atol=1e-9)
    holed = scores.copy()
    holed[0] = [np.nan, 1e6, -1e6]
    assert np.isfinite(fit.of(holed, regime)).all()
    np.testing.assert_array_equal(fit.of(holed, regime)[1:], index[1:])
