"""A committee foretells rare failures: against simulated truth, and against one boosting."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from predict.errors import NotEnoughData
from predict.failure_committee import Committee, CommitteeConfig, fit_committee
from predict.failure_soon import brier
from tests.bench.fleet_bound import by_luck, hazards

Array = NDArray[np.float64]
QUICK = CommitteeConfig(rounds=20, rate=0.15, leaf_rows=20, folds=3)


def units(rng, n):
    """Six moments a unit, a month apart: its wear (first column) sets its hazard, 2 % a month."""
    wear = np.repeat(rng.exponential(1.0, n), 6)
    monthly = np.minimum(0.008 * np.exp(wear), 0.5)
    fails = rng.random((n * 6, 3)) < monthly[:, None]
    labels = np.column_stack([fails[:, 0], fails.any(axis=1)]).astype(float)
    rows = np.column_stack([wear, rng.normal(size=(n * 6, 4))])
    return rows, labels, np.repeat(np.arange(n), 6), monthly


@dataclass(frozen=True)
class Fitted:
    """Rows learnt from and fresh ones with their true hazard, and two committees."""

    rows: Array
    labels: Array
    unit: Array
    fresh: Array
    truth: Array
    hazard: Array
    short: Committee
    both: Committee


@pytest.fixture(scope="module")
def fitted():
    rows, labels, unit, _ = units(np.random.default_rng(0), 600)
    fresh, truth, _, hazard = units(np.random.default_rng(1), 2000)
    short, both = (
        fit_committee(rows, y, unit, np.random.default_rng(0), QUICK)
        for y in (labels[:, :1], labels)
    )
    return Fitted(rows, labels, unit, fresh, truth[:, 0], hazard, short, both)


def test_probabilities_are_those_that_made_the_failures(fitted):
    fit, said = fitted.both, fitted.both.probability(fitted.fresh)

    assert said.mean() == pytest.approx(fitted.hazard.mean(), rel=0.2)
    assert brier(said, fitted.truth) < brier(np.full(len(said), fit.base_rate), fitted.truth)
    assert fit.brier < fit.base_brier
    assert (fit.n, fit.failures) == (3600, int(fitted.labels[:, 0].sum()))
    assert fit.raw(fitted.fresh[:0]).shape == (0,)


def test_a_longer_horizon_ranks_the_shorter_one_better(fitted):
    models = fitted.short, fitted.both
    areas = [roc_auc_score(fitted.truth, model.raw(fitted.fresh)) for model in models]

    assert areas[0] < areas[1] < roc_auc_score(fitted.truth, fitted.hazard)


def test_probabilities_stay_true_where_each_member_sees_half_of_the_quiet_units(fitted):
    config = replace(QUICK, quiet_share=0.5)
    fit = fit_committee(fitted.rows, fitted.labels, fitted.unit, np.random.default_rng(0), config)

    assert fit.probability(fitted.fresh).mean() == pytest.approx(fitted.hazard.mean(), rel=0.2)
    assert fit.base_rate == fitted.both.base_rate


def test_what_is_not_known_yet_teaches_nothing(fitted):
    labels = np.vstack([fitted.labels, np.full((600, 2), np.nan)])
    rows = np.vstack([fitted.rows, np.full((600, 5), 9.0)])
    unit = np.append(fitted.unit, fitted.unit[:600])

    fit = fit_committee(rows, labels, unit, np.random.default_rng(0), QUICK)

    np.testing.assert_array_equal(
        fit.probability(fitted.fresh[:500]), fitted.both.probability(fitted.fresh[:500])
    )


def test_too_few_failures_and_wrong_labels_are_refused(fitted):
    rows, labels, unit = fitted.rows, fitted.labels, fitted.unit
    rng = np.random.default_rng(0)
    with pytest.raises(NotEnoughData, match="10 moments"):
        fit_committee(rows, np.zeros_like(labels), unit, rng, QUICK)
    with pytest.raises(ValueError, match="0, 1 or NaN"):
        fit_committee(rows, labels + 1.0, unit, rng, QUICK)
    with pytest.raises(ValueError, match="needed"):
        fit_committee(rows, labels[:, 0], unit, rng, QUICK)
    with pytest.raises(ValueError, match="weights"):
        fit_committee(rows, labels, unit, rng, QUICK, np.zeros(len(unit)))


def test_luck_alone_moves_the_best_f1_of_one_who_knows_the_chances():
    sure = by_luck(np.array([1.0, 1.0, 0.0, 0.0]))
    even = by_luck(np.full(4000, 0.25))

    assert sure["mean"] == 1.0
    # All said: precision (p + p) / (p + 1), recall 1; none said: recall one half.
    assert even["mean"] == pytest.approx(2 / 3, abs=0.01)
    place = np.array([[0, 1], [0, 1], [0, 3]])
    assert hazards(place, np.array([[1, 0], [0, 0], [0, 1]]))[:4].tolist() == [1 / 3, 0, 0, 1]
