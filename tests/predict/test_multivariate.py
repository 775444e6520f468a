"""Distances and directions against plain linear algebra, and faults no sensor shows alone."""

import numpy as np
import pytest
from scipy import stats
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import PCA

from predict.errors import NotEnoughData
from predict.multivariate import (
    Explained,
    combined,
    fit_mahalanobis,
    fit_pca,
    released,
    trailing_means,
)
from tests.bench import skab
from tests.bench.data import find

MIX = np.array([[1.0, 0.8, 0.1, 0.0], [0.0, 0.5, 0.4, 1.0]])


def device(n, seed=0):
    """Four sensors driven by two loads, and a little noise."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 1, (n, 2)) @ MIX + rng.normal(0, 0.05, (n, 4))) * [1, 10, 0.1, 5]


def test_the_distance_is_the_quadratic_form():
    normal, new = device(400), device(50, seed=1)
    fit = fit_mahalanobis(normal, window=5, factor=1.0)

    z, q = ((x - normal.mean(axis=0)) / normal.std(axis=0) for x in (normal, new))
    learnt = trailing_means(z, 5)[4:]
    covariance, _ = ledoit_wolf(learnt)
    away = trailing_means(q, 5) - learnt.mean(axis=0)
    inverse = np.linalg.inv(covariance)
    expected = np.sqrt([row @ inverse @ row for row in away])
    centre = learnt - learnt.mean(axis=0)
    worst = max(np.sqrt(row @ inverse @ row) for row in centre)
    np.testing.assert_allclose(fit.score(new).score, expected / worst)
    np.testing.assert_allclose(fit.score(new).parts.sum(axis=1), fit.score(new).score)


def test_the_past_alone_decides():
    values = device(300)
    fit = fit_mahalanobis(values[:200])

    whole = fit.score(values).score
    for n in (1, 20, 250):
        np.testing.assert_allclose(fit.score(values[:n]).score, whole[:n])


def test_trailing_means_are_means_of_the_known():
    values = device(30)
    values[4:9, 1] = np.nan
    means = trailing_means(values, 4)

    for row in range(30):
        part = values[max(0, row - 3) : row + 1]
        for k in range(4):
            known = part[np.isfinite(part[:, k]), k]
            assert means[row, k] == pytest.approx(
                known.mean() if len(known) else np.nan, nan_ok=True
            )


def test_a_fault_within_every_sensors_range_is_found_and_its_sensor_named():
    normal, new = device(400), device(60, seed=2)
    new[:, 2] = np.random.default_rng(3).permutation(new[:, 2])  # its values, out of step
    pca = fit_pca(normal)

    assert (np.abs((new - normal.mean(axis=0)) / normal.std(axis=0)) < 4).all()
    said = pca.q(new)
    assert (said.score > 1).mean() > 0.8
    assert pca.q(device(60, seed=4)).score.mean() < 1
    blamed = [said.blamed(k) for k in np.flatnonzero(said.score > 1)]
    assert np.bincount(blamed, minlength=4).argmax() == 2


def test_t2_is_sklearns_scores_over_their_variance():
    normal, new = device(500), device(20, seed=5)
    z, q = ((x - normal.mean(axis=0)) / normal.std(axis=0) for x in (normal, new))
    fit = fit_pca(normal)
    other = PCA(fit.loadings.shape[1]).fit(z)

    scores = other.transform(q)
    expected = (scores**2 / other.explained_variance_).sum(axis=1)
    np.testing.assert_allclose(fit.t2(new).score * fit.t2_limit, expected, rtol=1e-6)
    rebuilt = other.inverse_transform(scores)
    np.testing.assert_allclose(fit.q(new).score * fit.q_limit, ((q - rebuilt) ** 2).sum(axis=1))


def test_the_limits_are_passed_as_seldom_as_promised():
    fit = fit_pca(device(3000), confidence=0.99)
    new = device(20_000, seed=6)

    for said in (fit.t2(new), fit.q(new)):
        assert 0.005 <= (said.score > 1).mean() <= 0.02
    n, k = 3000, fit.loadings.shape[1]
    assert fit.t2_limit == pytest.approx(
        k * (n + 1) * (n - 1) / (n * (n - k)) * stats.f.ppf(0.99, k, n - k)
    )


def test_two_windows_say_the_larger():
    values = device(300)
    members = [fit_mahalanobis(values, window=w) for w in (2, 20)]
    both = combined(members, values)

    np.testing.assert_allclose(both.score, np.maximum(*(m.score(values).score for m in members)))


def test_a_fault_that_is_mended_but_leaves_a_trace_ends():
    """Up to 20, back to 4 where the limit is 1: over; 9 again: a new fault, told at once."""
    rng = np.random.default_rng(0)
    level = np.repeat([0.5, 20.0, 4.0, 9.0, 0.5, 2.0], 50)
    parts = level[:, None] * rng.dirichlet([1.0, 1.0], 300) * rng.uniform(0.9, 1.1, (300, 1))
    said = Explained(parts.sum(axis=1), parts)

    judged = released(said, 0.35)

    raised = (judged.score >= 1.0).reshape(6, 50)
    assert raised.all(axis=1).tolist() == [False, True, False, True, False, True]
    assert raised.any(axis=1).tolist() == [False, True, False, True, False, True]
    np.testing.assert_allclose(judged.parts.sum(axis=1), judged.score)
    np.testing.assert_array_equal(released(said, 0.0).score, said.score)
    for n in (1, 70, 130, 299):  # what comes later changes nothing
        short = released(Explained(said.score[:n], parts[:n]), 0.35)
        np.testing.assert_array_equal(short.score, judged.score[:n])
    with pytest.raises(ValueError, match="share"):
        released(said, 1.0)


def test_constant_missing_and_repeated_sensors_are_borne():
    values = device(400)
    odd = np.column_stack([values, np.full(400, 7.0), np.full(400, np.nan), values[:, 0]])
    odd[5:30, 1] = np.nan
    for fit in (fit_mahalanobis(odd), fit_pca(odd)):
        said = fit.score(odd) if hasattr(fit, "score") else fit.q(odd)
        assert np.isfinite(said.score).all()
        assert (said.parts[:, 4:6] == 0).all()


def test_too_little_says_so():
    with pytest.raises(NotEnoughData, match="10 normal rows"):
        fit_mahalanobis(device(39))
    with pytest.raises(NotEnoughData, match="first window"):
        fit_mahalanobis(device(41), window=10)
    with pytest.raises(NotEnoughData, match="moves"):
        fit_pca(np.ones((100, 3)))
    with pytest.raises(NotEnoughData, match="two sensors"):
        fit_pca(device(100)[:, :1])
    with pytest.raises(ValueError, match="4 sensors"):
        fit_pca(device(100)).q(np.ones((3, 2)))


def test_a_real_pump_with_faults_is_told_from_a_healthy_one():
    folder = find("skab", "other/*.csv")
    if folder is None:
        pytest.skip("the pump data are absent: set APM_DATA to the data folder")
    result = skab.measure(folder)

    assert result["f1"] > result["always_alarm"]["f1"] + 0.1
    assert result["far"] <= 20
    assert result["auc"] > 0.85


def test_the_bench_says_so_when_the_data_are_absent(tmp_path, capsys):
    assert skab.main([str(tmp_path)]) == 2
    assert "skipped" in capsys.readouterr().out
