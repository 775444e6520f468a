"""Failures of others of the same make: by brute force, and nothing from the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predict.peer_failures import PeerLives, peer_rates

lives = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 20), st.booleans()),
    min_size=1,
    max_size=12,
)


def peers(rows):
    group, begin, length, failed = np.array(rows, dtype=np.int64).T
    return PeerLives(group, begin.astype(float), (begin + length).astype(float), failed > 0)


@settings(max_examples=80, deadline=None)
@given(rows=lives, now=st.integers(0, 50), who=st.integers(0, 3))
def test_rates_are_what_one_counts_by_hand(rows, now, who):
    def count(chosen, since):
        failures = sum(f and since < b + n <= now for g, b, n, f in rows if g in chosen)
        watched = sum(
            max(min(b + n, now) - max(b, since), 0) for g, b, n, f in rows if g in chosen
        )
        return failures, watched

    found = peer_rates(peers(rows), [who], [float(now)], [6.0, 25.0])[0]

    for k, window in enumerate((6, 25)):
        failures, watched = count({0, 1, 2}, now - window)
        own, seen = count({who}, now - window)
        fleet = failures / watched if watched else np.nan
        assert found[2 * k + 1] == pytest.approx(fleet, nan_ok=True)
        drawn = (own + 1) / (seen + 1 / fleet) if fleet > 0 else fleet
        assert found[2 * k] == pytest.approx(drawn, nan_ok=True)


@settings(max_examples=80, deadline=None)
@given(rows=lives, now=st.integers(0, 50))
def test_lives_and_ends_to_come_change_no_rate(rows, now):
    past = [
        (g, b, min(b + n, now) - b, f and b + n <= now) for g, b, n, f in rows if b <= now
    ] or [(0, now, 0, False)]

    np.testing.assert_array_equal(
        peer_rates(peers(rows), [0, 1], [float(now)] * 2, [9.0]),
        peer_rates(peers(past), [0, 1], [float(now)] * 2, [9.0]),
    )


def test_impossible_lives_are_refused():
    with pytest.raises(ValueError, match="before"):
        peers([(0, 5, -1, True)])
    with pytest.raises(ValueError, match="finite"):
        PeerLives(np.zeros(1, int), np.array([np.nan]), np.ones(1), np.ones(1, bool))
    with pytest.raises(ValueError, match="needed"):
        PeerLives(np.zeros(2, int), np.zeros(1), np.ones(1), np.ones(1, bool))
