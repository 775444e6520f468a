"""Detection must cost less than storing the reading."""

from time import perf_counter

import pytest

from predict.anomaly import SeasonalDetector
from tests.predict.sensors import room


@pytest.mark.bench
def test_a_reading_takes_less_than_a_millisecond():
    at, value = room(1, days=90)
    detector = SeasonalDetector()
    detector.update(at[:-200], value[:-200])

    began = perf_counter()
    for k in range(len(at) - 200, len(at)):
        detector.update(at[k : k + 1], value[k : k + 1])

    assert (perf_counter() - began) / 200 < 1e-3


@pytest.mark.bench
def test_twenty_two_thousand_readings_take_less_than_three_seconds():
    at, value = room(2, days=77, step_s=300)
    assert len(at) > 22_000

    began = perf_counter()
    SeasonalDetector().update(at, value)

    assert perf_counter() - began < 3
