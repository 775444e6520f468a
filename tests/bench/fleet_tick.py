"""How long one tick of 10,000 sensors takes to score, one core, and numpy's sort.

python -m tests.bench.fleet_tick --json
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import numpy as np

from predict.fleet_detector import FleetDetector

SENSORS, TICKS = 10_000, 400


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet_tick")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.parse_args()
    values = np.random.default_rng(0).normal(20.0, 1.0, (TICKS, SENSORS))
    detector = FleetDetector(SENSORS)
    took, sorting = [], []
    for tick, value in enumerate(values):
        began = perf_counter()
        detector.update(tick // 60 % 24, value)
        took.append(perf_counter() - began)
        began = perf_counter()
        np.sort(value)
        sorting.append(perf_counter() - began)
    results = {
        "sensors": SENSORS,
        "tick_ms_median": round(1000 * float(np.median(took)), 3),
        "tick_ms_least": round(1000 * min(took), 3),
        "bytes_per_sensor": detector.bytes_per_sensor,
        "vs": {"numpy_sort": round(float(np.median(took) / np.median(sorting)), 2)},
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
