"""Where a value is heading: against simulated wear whose end is known, and against odd series."""

import numpy as np
import pytest

from predict.degradation import heading, last_reset, local_trend
from predict.errors import NotEnoughData


def rng():
    return np.random.default_rng(7)


def worn(kind, draw):
    """Return what was seen of a wearing part, its limit, and the days until it passed it."""
    n = int(draw.integers(60, 180))
    total = n + 1000
    pace = draw.uniform(0.03, 0.12)
    if kind == "line":
        level = pace * np.arange(total)
    elif kind == "wandering":
        level = np.cumsum(pace + draw.normal(0, 0.15, total))
    else:
        level = np.cumsum(pace + np.cumsum(draw.normal(0, 0.002, total)))
    limit = level[n - 1] + draw.uniform(2, 10)
    seen = level[:n] + draw.normal(0, 0.5, n)
    seen[draw.random(n) < 0.1] = np.nan
    passed = np.flatnonzero(level[n:] >= limit)
    return seen, limit, passed[0] + 1 if len(passed) else np.inf


@pytest.mark.parametrize("kind", ["line", "wandering", "changing pace"])
def test_the_interval_holds_what_it_promises(kind):
    draw = np.random.default_rng(11)
    inside, off, standing = [], [], []
    for _ in range(14):
        seen, limit, truth = worn(kind, draw)
        found = heading(seen, rng(), high=limit)
        if not found.is_heading:
            continue
        inside.append(found.low <= truth <= found.high)
        if np.isfinite(truth):
            off.append(abs(found.median - truth) / truth)
            standing.append(1.0)
    assert len(inside) >= 11
    assert np.mean(inside) >= 0.6  # 80 % is promised; so few cases may fall short
    assert np.median(off) < 0.5


RIPPLE = 27 - 0.1 * np.arange(160) + 0.05 * np.sin(7.0 * np.arange(160))


@pytest.mark.parametrize("kind", ["ripple", "wandering", "changing pace"])
def test_no_grid_of_variances_is_likelier_than_the_fit(kind):
    values = RIPPLE if kind == "ripple" else worn(kind, np.random.default_rng(3))[0]
    scaled = (values - np.nanmedian(values)) / np.nanstd(values)
    fit = local_trend(scaled)
    steps = 10.0 ** np.arange(-10, 0.1, 1.0)
    grid = (fit.model.loglike(np.array([a, b, c])) for a in steps for b in steps for c in steps)
    assert fit.llf > max(grid) - 0.1


def test_the_last_bits_of_the_values_do_not_change_the_answer():
    found = [heading(RIPPLE * (1 + k * 1e-12), rng(), low=10.0) for k in (0, 1, -3)]
    assert len({(one.low, one.median, one.high) for one in found}) == 1


def test_a_probability_grows_with_the_horizon_and_the_fan_starts_at_the_level():
    line = 0.1 * np.arange(100) + rng().normal(0, 0.2, 100)
    found = heading(line, rng(), high=15.0)
    assert found.within(7) < 0.05 < 0.5 < found.within(90) < 1.0
    assert found.within(30) <= found.within(60)
    assert found.median == pytest.approx(51, abs=8)
    assert found.fan[0, 2] == pytest.approx(9.9, abs=0.3)
    assert (np.diff(found.fan[:, 0]) > 0).all()
    assert ((found.fan[:, 1] <= found.fan[:, 2]) & (found.fan[:, 2] <= found.fan[:, 3])).all()


def test_falling_to_a_lower_limit_is_the_mirror_of_rising_to_an_upper_one():
    line = 0.1 * np.arange(100) + rng().normal(0, 0.2, 100)
    up, down = heading(line, rng(), high=15.0), heading(-line, rng(), low=-15.0)
    assert down.median == pytest.approx(up.median, rel=0.15)


@pytest.mark.parametrize(
    "values",
    [
        [5.0] * 60,
        (20 + rng().normal(0, 0.3, 120)).tolist(),
        (30 - 0.1 * np.arange(100)).tolist(),
        (20 + 3 * np.sin(np.arange(140) / 7 * 2 * np.pi)).tolist(),
    ],
    ids=["constant", "noise", "away from the limit", "weekly rhythm"],
)
def test_not_heading_for_the_limit_is_an_answer(values):
    found = heading(values, rng(), high=40.0)
    assert not found.is_heading
    assert found.median == np.inf
    assert found.within(365) == 0.0


def test_what_is_beyond_its_limit_already_has_no_days_left():
    line = 0.2 * np.arange(80) + rng().normal(0, 0.2, 80)
    found = heading(line, rng(), high=12.0)
    assert (found.low, found.median) == (0.0, 0.0)
    assert found.within(1) > 0.99


def test_a_part_replaced_mid_series_counts_from_the_replacement():
    first = 0.3 * np.arange(70) + rng().normal(0, 0.2, 70)
    second = 0.1 * np.arange(50) + rng().normal(0, 0.2, 50)
    found = heading(np.concatenate([first, second]), rng(), high=15.0)
    assert found.since == 70
    assert found.slope == pytest.approx(0.1, abs=0.03)
    assert last_reset(first) == 0


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [5.0] * 19, [np.nan] * 90, [np.nan, 3.0] * 15],
    ids=["none", "one", "short", "nothing known", "half missing"],
)
def test_too_few_days_say_nothing(values):
    with pytest.raises(NotEnoughData):
        heading(values, rng(), high=6.0)


def test_wild_days_do_not_move_the_answer():
    line = 0.1 * np.arange(100) + rng().normal(0, 0.2, 100)
    wild = line.copy()
    wild[[20, 55, 90]] = [500.0, -300.0, 80.0]
    plain, found = heading(line, rng(), high=15.0), heading(wild, rng(), high=15.0)
    assert found.median == pytest.approx(plain.median, rel=0.2)


@pytest.mark.parametrize("noise", [0.02, 0.1, 1.0])
def test_wild_days_are_left_out_of_a_steady_fall_on_its_first_and_last_day_too(noise):
    """Where a day's fall is as large as the noise a running median follows every day."""
    line = 30.0 - 0.1 * np.arange(180) + noise * np.random.default_rng(0).standard_normal(180)
    wild = line.copy()
    wild[[0, 37, 74, 111, 179]] = 500.0
    plain, found = heading(line, rng(), low=10.0), heading(wild, rng(), low=10.0)
    assert (plain.n, found.n) == (180, 175)
    assert found.median == pytest.approx(plain.median, abs=3)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="limit"):
        heading([1.0] * 40, rng())
    with pytest.raises(ValueError, match="finite"):
        heading([np.inf] * 40, rng(), high=1.0)
