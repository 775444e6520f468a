"""What is remembered of scored readings: all of the last ones, the peaks of the older ones."""

import json
from datetime import UTC, datetime

import numpy as np

from apm.detecting.trace import COLUMNS, FRESH_ROWS, MOST_ROWS, Trace, thinned
from predict.anomaly import Scores


def scores(n, *, first=0, peak=None):
    """A reading a minute; the score is 0.1, and 3 at the reading `peak`."""
    at = 60.0 * np.arange(first, first + n)
    score = np.full(n, 0.1)
    if peak is not None:
        score[peak] = 3.0
    value = at / 60.0
    return Scores(at, value, value.copy(), value - 1, value + 1, score, [])


def test_it_stays_small_and_keeps_the_newest_as_they_are():
    trace = Trace.of([])
    for k in range(0, 5000, 7):
        kept = trace.extended(scores(7, first=k)).kept()
        assert len(kept) <= MOST_ROWS
        trace = Trace.of(json.loads(json.dumps(kept)))
    assert trace.rows[-FRESH_ROWS:, 0].tolist() == [60.0 * k for k in range(5005)][-FRESH_ROWS:]
    assert np.all(np.diff(trace.rows[:, 0]) > 0)
    assert trace.rows[0, 0] < 60.0 * 5005 / 2  # sparser, but far back


def test_thinning_keeps_the_worst():
    rows = np.column_stack([getattr(scores(5000, peak=1234), name) for name in COLUMNS])
    few = thinned(rows, 50)
    assert len(few) == 50
    assert 3.0 in few[:, -1]
    assert thinned(few, 50) is few


def test_evidence_begins_before_the_finding_and_ends_with_it():
    trace = Trace.of([]).extended(scores(1000, peak=600))
    found = trace.evidence(began=600 * 60.0, until=700 * 60.0)
    minutes = [datetime.fromisoformat(at).timestamp() / 60 for at in found["at"]]
    assert minutes[0] == 480  # two hours
    assert minutes[-1] == 700
    assert found["score"][minutes.index(600)] == 3.0


def test_what_could_not_be_said_is_null():
    batch = scores(3)
    for name in ("expected", "low", "high", "score"):
        getattr(batch, name)[0] = np.nan
    trace = Trace.of([]).extended(batch)
    assert trace.kept()[0] == [0.0, 0.0, None, None, None, None]
    assert [at for at, _low, _high in trace.band()] == [
        datetime.fromtimestamp(s, UTC) for s in (60, 120)
    ]
    assert Trace.of([]).evidence(began=0, until=1)["at"] == []
