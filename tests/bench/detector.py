"""Whether finding anomalies keeps up with what sensors send.

Eleven weeks of one sensor at once, as after a gap, and reading by reading, as they arrive; the
measure is numpy's sort of the same values, timed in the same run.

    python -m tests.bench.detector --json
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import numpy as np

from predict.anomaly import SeasonalDetector
from tests.predict.sensors import room

DAYS, STEP_S, SINGLES = 77, 300, 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detector")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.parse_args()
    at, value = room(2, days=DAYS, step_s=STEP_S)

    began = perf_counter()
    SeasonalDetector().update(at, value)
    whole = perf_counter() - began

    detector = SeasonalDetector()
    detector.update(at[:-SINGLES], value[:-SINGLES])
    began = perf_counter()
    for k in range(len(at) - SINGLES, len(at)):
        detector.update(at[k : k + 1], value[k : k + 1])
    single = (perf_counter() - began) / SINGLES

    began = perf_counter()
    np.sort(value)
    results = {
        "readings": len(at),
        "whole_s": round(whole, 3),
        "one_ms": round(1000 * single, 3),
        "vs": {"numpy_sort": round(whole / (perf_counter() - began), 1)},
    }
    for name, figure in results.items():
        print(f"{name:12}{figure}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
