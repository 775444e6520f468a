"""How long it takes to evaluate the alarms of ten thousand sensors, with and without a database.

    python -m tests.bench.alarms --json

The last line of stdout is one JSON object.  `cpu_s`, `wall_s`: one round of the engine alone, in
which each sensor has six new readings and four rules (`pairs`), and how many alarms it `raised`.
`stored_cpu_s`, `stored_wall_s`: the worker's round on a durable SQLite database: six new readings
of each sensor are read, judged by the shipped rules, and what is remembered is written back;
`first_cpu_s`: the very first round, when nothing is remembered yet; `stored_raised`: its alarms.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from apm.alarms.evaluating import evaluate_all
from apm.cli.frame import stay
from apm.core.db import make_engine
from apm.readings.commands import ingest
from apm.readings.merging import merge_inbox
from predict.alarming.engine import Batch, Watch, advance_all
from predict.alarming.rules import Kind, Rule
from tests.bench.ingest import bound, prepare
from tests.bench.ingest_load import START

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


def engine_alone() -> dict[str, float]:
    """Return the figures of one round without a database."""
    batches, watches = round_of(SENSORS)
    wall, cpu = time.perf_counter(), time.process_time()
    done = advance_all(batches, watches)
    return {
        "sensors": SENSORS,
        "pairs": len(watches),
        "cpu_s": round(time.process_time() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "raised": sum(len(one.episodes) for one in done),
    }


def with_database(folder: Path) -> dict[str, float]:
    """Return the figures of the second round of the worker, and the CPU time of the first."""
    engine = make_engine(f"sqlite:///{folder / 'bench.db'}")
    prepare(engine)
    rng = np.random.default_rng(3)
    found: dict[str, float] = {}
    for name, first in (("first", 1), ("stored", 7)):
        with bound(engine) as ctx:
            for ten_seconds in range(first, first + 6):
                at = START + timedelta(seconds=10 * ten_seconds)
                values = np.round(21 + rng.normal(0, 0.3, SENSORS), 1).tolist()
                ingest(
                    ctx,
                    [{"sensor": f"S-{k}", "at": at, "value": v} for k, v in enumerate(values)],
                )
            merge_inbox(ctx)
        wall, cpu = time.perf_counter(), time.process_time()
        with bound(engine) as ctx:
            done = evaluate_all(ctx)
        if done.sensors != SENSORS:
            raise RuntimeError(f"{done.sensors} sensors were evaluated")
        found[f"{name}_cpu_s"] = round(time.process_time() - cpu, 3)
        found[f"{name}_wall_s"] = round(time.perf_counter() - wall, 3)
        found[f"{name}_raised"] = done.opened
    engine.dispose()
    return found


def main() -> None:
    """Measure and print."""
    stay()  # as the worker does
    found = engine_alone()
    with tempfile.TemporaryDirectory() as folder:
        found |= with_database(Path(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
