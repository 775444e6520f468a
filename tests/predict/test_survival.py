"""Curves and fitted lives against statsmodels, brute force and simulated truth."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from predict.age_replacement import fit_weibull
from predict.errors import NotEnoughData
from predict.hazards import fit_cox, fit_discrete_hazard
from predict.life_models import fit_life, remaining
from predict.pooling import pool
from predict.survival import Lives, incidence, lives, restricted_mean, survival_curve


def watched(rng, n=200, shape=2.0, scale=1000.0, late=False):
    """Weibull lives, censored at random, some under watch only from some age on."""
    life = np.maximum(scale * rng.weibull(shape, n), 1.0)
    entry = rng.uniform(0, 500, n) * (rng.random(n) < 0.5) if late else np.zeros(n)
    seen = life > entry  # those that failed before were never heard of
    life, entry = life[seen], entry[seen]
    stop = entry + rng.uniform(100, 1500, len(life))
    return lives(np.minimum(life, stop), life <= stop, entry)


def test_the_curve_is_statsmodels_curve():
    one = watched(np.random.default_rng(0))
    other = SurvfuncRight(one.exit, one.failed.astype(int))

    curve = survival_curve(one)

    np.testing.assert_allclose(curve.age, other.surv_times)
    np.testing.assert_allclose(curve.value, other.surv_prob)
    log = np.log(curve.value)  # Greenwood on the log-log scale, from statsmodels' own error
    reach = 1.959964 * other.surv_prob_se / (other.surv_prob * np.abs(log))
    inside = curve.value > 0
    np.testing.assert_allclose(
        curve.low[inside], (curve.value ** np.exp(reach))[inside], rtol=1e-5
    )


def test_the_curve_and_its_interval_hold_with_late_entries():
    truth, covered, values = np.exp(-(0.7**2)), 0, []
    rng = np.random.default_rng(1)
    for _ in range(200):
        curve = survival_curve(watched(rng, late=True))
        place = np.searchsorted(curve.age, 700.0, side="right") - 1
        values.append(curve.value[place])
        covered += curve.low[place] <= truth <= curve.high[place]

    assert np.mean(values) == pytest.approx(truth, abs=0.015)
    assert 0.91 <= covered / 200 <= 0.985


def test_the_mean_is_the_area():
    curve = survival_curve(lives([2.0, 4.0, 6.0], [True, True, True]))

    assert restricted_mean(curve, 100.0) == pytest.approx(4.0)
    assert curve.at(1.0) == 1.0
    assert curve.at(4.0) == pytest.approx(1 / 3)


def competing(rng, n=300):
    pump, valve = 800 * rng.weibull(2.0, n), 1500 * rng.weibull(1.0, n)
    stop = rng.uniform(200, 1500, n)
    end = np.minimum(np.minimum(pump, valve), stop)
    cause = np.where(end == stop, "", np.where(end == pump, "pump", "valve"))
    return lives(end, cause != ""), cause


def test_shares_by_cause_are_statsmodels_shares():
    both, cause = competing(np.random.default_rng(2))
    status = np.select([cause == "pump", cause == "valve"], [1, 2], 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # its error after the last failure
        other = CumIncidenceRight(both.exit, status)

    shares = incidence(both, cause)

    at = other.times
    for k, name in enumerate(("pump", "valve")):
        np.testing.assert_allclose([shares[name].at(t) for t in at], other.cinc[k], atol=1e-12)
    alive = survival_curve(both)
    np.testing.assert_allclose(shares["pump"].value + shares["valve"].value + alive.value, 1.0)


def test_the_width_of_a_share_by_cause_is_that_of_repeated_fleets():
    rng = np.random.default_rng(3)
    shares = [incidence(*competing(rng))["pump"] for _ in range(200)]
    inside = (
        [c.low[np.searchsorted(c.age, 600.0) - 1] for c in shares],
        [c.high[np.searchsorted(c.age, 600.0) - 1] for c in shares],
    )
    truth = float(np.mean([c.at(600.0) for c in shares]))

    covered = np.mean([lo <= truth <= hi for lo, hi in zip(*inside, strict=True)])
    assert 0.91 <= covered <= 0.985


def test_the_weibull_is_the_one_of_the_other_fit():
    one = watched(np.random.default_rng(4))
    other = fit_weibull(one.exit, one.failed)

    fit = fit_life(one)

    assert np.exp(-fit.log_sigma) == pytest.approx(other.shape, rel=1e-4)
    assert np.exp(fit.beta[0]) == pytest.approx(other.scale, rel=1e-4)


@pytest.mark.parametrize("family", ["weibull", "lognormal"])
def test_truth_is_found_with_censoring_and_late_entry(family):
    rng = np.random.default_rng(5)
    inside, estimates = [], []
    for _ in range(60):
        n = 400
        x = rng.normal(0, 1, (n, 1))
        noise = np.log(rng.exponential(1, n)) if family == "weibull" else rng.normal(0, 1, n)
        life = np.exp(6.0 + 0.5 * x[:, 0] + 0.6 * noise)
        entry = rng.uniform(0, 300, n)
        seen = life > entry
        stop = entry + rng.uniform(50, 800, n)
        one = lives(np.minimum(life, stop)[seen], (life <= stop)[seen], entry[seen])
        fit = fit_life(one, x[seen], family)
        at = np.append(fit.beta, fit.log_sigma)
        estimates.append(at)
        error = np.abs(at - [6.0, 0.5, np.log(0.6)])
        inside.append(error <= 1.645 * np.sqrt(np.diag(fit.covariance)))

    np.testing.assert_allclose(np.mean(estimates, axis=0), [6.0, 0.5, np.log(0.6)], atol=0.03)
    assert (np.mean(inside, axis=0) >= 0.78).all()
    assert np.mean(inside) == pytest.approx(0.9, abs=0.06)


def test_forgetting_the_late_entry_would_be_seen():
    rng = np.random.default_rng(6)
    life, entry = 1000 * rng.weibull(2.0, 4000), rng.uniform(300, 1200, 4000)
    seen = life > entry
    one = lives(life[seen], np.ones(seen.sum(), dtype=bool), entry[seen])
    honest = fit_life(one)
    blind = fit_life(Lives(one.exit, one.failed, np.zeros_like(one.exit)))

    assert np.exp(honest.beta[0]) == pytest.approx(1000.0, rel=0.05)
    assert np.exp(blind.beta[0]) > 1.05 * np.exp(honest.beta[0])


def test_the_better_family_has_the_smaller_criterion():
    rng = np.random.default_rng(7)
    normal = lives(np.exp(rng.normal(6, 0.8, 500)), np.ones(500, dtype=bool))

    assert fit_life(normal, family="lognormal").aic < fit_life(normal).aic


def test_what_is_left_covers_ends_of_units_not_seen():
    rng = np.random.default_rng(8)
    covered = {12: [], 200: []}
    for n in (12, 200):
        for _ in range(60):
            life = 1000 * rng.weibull(3.0, n)
            fit = fit_life(lives(life, np.ones(n, dtype=bool)))
            new = 1000 * rng.weibull(3.0, 200)
            new = new[new > 600.0] - 600.0
            left = remaining(fit, 600.0, rng)
            covered[n].append(np.mean((left.low <= new) & (new <= left.high)))

    assert np.mean(covered[12]) == pytest.approx(0.9, abs=0.06)
    assert np.mean(covered[200]) == pytest.approx(0.9, abs=0.02)


def test_pooling_beats_each_alone_and_everyone_alike():
    rng = np.random.default_rng(9)
    errors = {"pooled": [], "alone": [], "alike": []}
    inside, shape = [], 1.5
    for _ in range(25):
        fleet, truth = {}, {}
        for c in range(4):
            centre = 1000 * np.exp(rng.normal(0, 0.4))
            for m in range(5):
                name = f"{c}{m}"
                truth[name] = centre * np.exp(rng.normal(0, 0.25))
                n = int(rng.integers(1, 25))
                life, stop = truth[name] * rng.weibull(shape, n), rng.uniform(100, 1200, n)
                fleet.setdefault(str(c), {})[name] = lives(np.minimum(life, stop), life <= stop)
        answers = pool(fleet, shape)
        every = [one for models in fleet.values() for one in models.values()]
        alike = (sum((v.exit**shape).sum() for v in every) / sum(v.failures for v in every)) ** (
            1 / shape
        )
        for models in fleet.values():
            for name, one in models.items():
                got = answers[name]
                inside.append(got.low <= truth[name] <= got.high)
                if one.failures:
                    own = ((one.exit**shape).sum() / one.failures) ** (1 / shape)
                    for kind, said in (("pooled", got.scale), ("alone", own), ("alike", alike)):
                        errors[kind].append(np.log(said / truth[name]) ** 2)

    score = {kind: np.mean(e) for kind, e in errors.items()}
    assert score["pooled"] < 0.8 * score["alone"]
    assert score["pooled"] < 0.8 * score["alike"]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.06)


def test_the_width_tells_how_little_is_known():
    rng = np.random.default_rng(10)
    much = watched(rng, n=300)
    none = lives([50.0, 60.0, 70.0], [False] * 3)  # three devices, no failure
    one = lives([50.0, 900.0], [False, True])
    answers = pool(
        {"a": {"much": much, "none": none, "one": one}, "b": {"other": watched(rng)}}, 2.0
    )

    wide = {k: np.log(v.high / v.low) for k, v in answers.items()}
    assert wide["much"] < wide["one"] < wide["none"]
    assert answers["much"].own > 0.8
    assert answers["none"].own < 0.05


def test_a_fleet_without_failures_says_so():
    with pytest.raises(NotEnoughData):
        pool({"a": {"m": lives([5.0], [False])}}, 2.0)
    with pytest.raises(ValueError, match="two categories"):
        pool({"a": {"m": lives([5.0], [True])}, "b": {"m": lives([5.0], [True])}}, 2.0)
    with pytest.raises(ValueError, match="shape"):
        pool({"a": {"m": lives([5.0], [True])}}, 0.0)


def test_cox_finds_the_ratio_and_the_curve():
    rng = np.random.default_rng(11)
    x = rng.normal(0, 1, (700, 1))
    life = 1000 * (rng.exponential(1, 700) / np.exp(0.7 * x[:, 0])) ** 0.5
    fit = fit_cox(lives(np.minimum(life, 1200), life < 1200), x)

    assert fit.low[0] < np.exp(0.7) < fit.high[0]
    np.testing.assert_allclose(
        fit.survival(700.0, [[0.0], [1.0]]), np.exp(-0.49 * np.exp([0.0, 0.7])), atol=0.04
    )
    assert fit.survival(0.0, [[0.0]])[0] == 1.0


def test_boosted_hazards_find_a_risk_that_is_not_linear():
    rng = np.random.default_rng(12)
    x = rng.uniform(-2, 2, (3000, 1))
    scale = np.where(np.abs(x[:, 0]) > 1, 400.0, 1200.0)
    life = scale * rng.weibull(2.0, 3000)
    one = lives(np.minimum(life, 900.0), life < 900.0)
    fit = fit_discrete_hazard(one, x, np.arange(0, 901, 100))

    alive = fit.survival([[-1.5], [0.0], [1.5]])[:, 4]  # at 500
    np.testing.assert_allclose(
        alive, np.exp(-((500 / np.array([400, 1200, 400])) ** 2)), atol=0.08
    )
    later = fit.survival([[0.0]], from_age=300.0)[0]
    assert (later[:3] == 1.0).all()
    assert later[4] == pytest.approx(np.exp(-(500**2 - 300**2) / 1200**2), abs=0.08)


@pytest.mark.parametrize("failed", [[False] * 5, [True, False, False, False, False]])
def test_none_or_one_failure_only_says_so(failed):
    one = lives([10.0, 20.0, 30.0, 40.0, 50.0], failed)
    x = np.arange(5.0)[:, None]
    with pytest.raises(NotEnoughData):
        fit_life(one)
    with pytest.raises(NotEnoughData):
        fit_cox(one, x)
    with pytest.raises(NotEnoughData):
        fit_discrete_hazard(one, x, [0.0, 25.0, 50.0])
    if not any(failed):
        with pytest.raises(NotEnoughData):
            survival_curve(one)


def test_failures_all_at_one_age_do_not_make_a_life():
    with pytest.raises(NotEnoughData):
        fit_life(lives([10.0] * 8, [True] * 8))


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="entry < exit"):
        lives([5.0], [True], [6.0])
    with pytest.raises(ValueError, match="finite"):
        lives([np.nan], [True])
    with pytest.raises(ValueError, match="alike"):
        lives([1.0, 2.0], [True])
    one = watched(np.random.default_rng(0))
    with pytest.raises(ValueError, match="constant"):
        fit_life(one, np.ones((len(one.exit), 1)))
    with pytest.raises(ValueError, match="finite"):
        fit_cox(one, np.full((len(one.exit), 1), np.nan))
    with pytest.raises(ValueError, match="increasing"):
        fit_discrete_hazard(one, np.ones((len(one.exit), 1)), [5.0, 5.0])
    with pytest.raises(ValueError, match="one cause"):
        incidence(one, ["a"])
    with pytest.raises(ValueError, match="age"):
        remaining(fit_life(one), -1.0, np.random.default_rng(0))
