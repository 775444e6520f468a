"""The limits are checked against a simulated Gumbel law with known return levels."""

import numpy as np
import pytest
from scipy import stats

from predict.limits import Channel, return_level


def test_the_limit_is_the_return_level_of_the_law_that_made_the_peaks():
    law = stats.gumbel_r(loc=5.0, scale=0.8)
    rng = np.random.default_rng(3)
    levels = [return_level(law.rvs(60, random_state=rng).tolist(), 365.0) for _ in range(400)]
    assert np.mean(levels) == pytest.approx(law.isf(1 / 365), rel=0.03)


def test_a_tenth_of_wild_days_hardly_moves_the_limit():
    peaks = stats.gumbel_r(loc=5.0, scale=0.8).rvs(60, random_state=np.random.default_rng(4))
    wild = np.where(np.arange(60) < 6, 1000.0, peaks)
    quiet, disturbed = (return_level(p.tolist(), 365.0) for p in (peaks, wild))
    assert disturbed == pytest.approx(quiet, rel=0.3)


def test_a_rarer_alarm_needs_a_higher_limit():
    peaks = [1.0, 1.3, 0.9, 1.8, 1.1]
    assert return_level(peaks, 30.0) < return_level(peaks, 365.0) < return_level(peaks, 3650.0)


def test_like_days_do_not_make_a_limit_without_margin():
    assert return_level([2.0] * 7, 365.0) == pytest.approx(2 + 0.2 * (5.898 - 0.3665), rel=1e-3)


def test_a_gap_forgets_what_was_before():
    channel = Channel(86400.0)
    for _ in range(48):
        channel.update(5.0, gap_s=3600.0, weight_s=3600.0)
    assert channel.mean == pytest.approx(5 * (1 - np.exp(-2)))
    channel.update(0.0, gap_s=10 * 86400.0, weight_s=3600.0)
    assert channel.mean < 0.001


def test_the_oldest_day_is_dropped():
    channel = Channel(0.0)
    for residual in (9.0, 1.0, -2.0, 3.0):
        channel.update(residual, gap_s=60.0, weight_s=60.0)
        channel.close_day(keep_days=3, return_period_days=365.0)
    assert channel.peaks == [1.0, 2.0, 3.0]
