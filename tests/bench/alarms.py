"""How long it takes to evaluate the alarms of ten thousand sensors, four rules each.

    python -m tests.bench.alarms --json

The last line of stdout is one JSON object: CPU seconds and wall seconds of one round in which each
sensor has six new readings, the pairs of sensor and rule, and how many alarms it raised.
"""

from __future__ import annotations

import json
import time

import numpy as np

from predict.alarming.engine import Batch, Watch, advance_all
from predict.alarming.rules import Kind, Rule

S = 1_000_000
SENSORS = 10_000
RULES = (
    Rule(Kind.HIGH, 24.0, deadband=0.5, on_delay_us=10 * S, off_delay_us=300 * S),
    Rule(Kind.LOW, 18.0, deadband=0.5, on_delay_us=10 * S, off_delay_us=300 * S),
    Rule(Kind.RATE, 50.0, window_us=60 * S),
    Rule(Kind.FLAT, 0.0, on_delay_us=600 * S),
)


def round_of(sensors: int) -> tuple[list[Batch], list[Watch]]:
    """Return readings of so many rooms, one in a hundred of them too warm, and their rules."""
    rng = np.random.default_rng(3)
    times = np.arange(12, dtype=np.int64) * 10 * S
    warm = rng.random(sensors) < 0.01
    batches = [Batch(times, 21 + 5 * w + rng.normal(0, 0.3, 12), 6) for w in warm]
    return batches, [Watch(n, rule) for n in range(sensors) for rule in RULES]


def main() -> None:
    """Measure one round and print it."""
    batches, watches = round_of(SENSORS)
    wall, cpu = time.perf_counter(), time.process_time()
    done = advance_all(batches, watches)
    found = {
        "sensors": SENSORS,
        "pairs": len(watches),
        "cpu_s": round(time.process_time() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "raised": sum(len(one.episodes) for one in done),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
