"""What replacing on a forecast costs, beside waiting, replacing by age or block, and an oracle.

Simulated turbofans that ran to their end: forecasts come from models that have not seen the
unit, the threshold from the other half of the units.  A failure costs five planned
replacements, an order takes ten cycles.

    python -m tests.bench.policy DATA_DIR --json
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from math import inf
from time import process_time

import numpy as np

from predict.age_replacement import best_age, fit_weibull
from predict.policy import (
    Costs,
    Track,
    best_block,
    best_threshold,
    judge,
    oracle_cost,
    replaced_at,
)
from predict.remaining_life import DEFAULT, fit_members
from tests.bench.cmapss import Fleet, read
from tests.bench.data import find

COSTS = Costs(planned=1.0, failure=5.0, lead=10.0)
FOLDS = 4


def tracks(fleet: Fleet, rng: np.random.Generator) -> list[Track]:
    """Return each training unit with forecasts of a model taught by other units only."""
    fold = rng.permutation(len(fleet.training)) % FOLDS
    found: dict[int, Track] = {}
    for k in range(FOLDS):
        inside = np.flatnonzero(fold != k)
        model = fit_members(
            [fleet.training[i] for i in inside],
            [fleet.ends[i] for i in inside],
            replace(DEFAULT, seeds=(0,)),
        )
        for i in np.flatnonzero(fold == k):
            unit = fleet.training[i]
            found[int(i)] = Track(unit.at, model.predict(model.features(unit)), fleet.ends[i])
    return [found[i] for i in range(len(fleet.training))]


def measure(fleet: Fleet) -> dict[str, object]:
    began = process_time()
    rng = np.random.default_rng(0)
    every = tracks(fleet, rng)
    half = rng.permutation(len(every)) % 2
    ends, ages = np.array([t.end for t in every]), {"triggered": [], "age": []}
    order = []
    for k in (0, 1):
        learnt = [t for t, h in zip(every, half, strict=True) if h != k]
        threshold, _ = best_threshold(learnt, COSTS)
        life = fit_weibull([t.end for t in learnt], np.ones(len(learnt), dtype=bool))
        age = best_age(life, planned=COSTS.planned, failure=COSTS.failure).age
        for i in np.flatnonzero(half == k):
            order.append(i)
            ages["triggered"].append(replaced_at(every[i], threshold, COSTS.lead))
            ages["age"].append(age)
    own = ends[order]
    said = {name: judge(own, a, COSTS, rng) for name, a in ages.items()}
    never = judge(own, np.full(len(own), inf), COSTS, rng)
    block = best_block(fit_weibull(ends, np.ones(len(ends), dtype=bool)), COSTS)
    oracle = oracle_cost(own, COSTS)
    triggered = said["triggered"]
    return {
        "cost_per_100": round(100 * triggered.cost, 3),
        "interval": [round(100 * triggered.low, 3), round(100 * triggered.high, 3)],
        "oracle": round(100 * oracle, 3),
        "age_replacement": round(100 * said["age"].cost, 3),
        "block_replacement": round(100 * block.cost, 3),
        "run_to_failure": round(100 * never.cost, 3),
        "over_oracle": round(triggered.cost / oracle - 1, 3),
        "below_age": round(1 - triggered.cost / said["age"].cost, 3),
        "failed": round(triggered.failed, 3),
        "wasted_cycles": round(triggered.wasted, 1),
        "units": triggered.n,
        "seconds": round(process_time() - began, 1),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.policy")
    parser.add_argument("data_dir", nargs="?", help="the data folder, or cmapss within it")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--only", help="one of the sets, as FD001")
    options = parser.parse_args(arguments)
    folder = find("cmapss", "RUL_FD00*.txt*", options.data_dir)
    if folder is None:
        print(
            f"skipped: no RUL_FD00*.txt under {options.data_dir or 'APM_DATA or ../shared/data'}"
        )
        return 2 if options.data_dir else 0
    results = {}
    for name in sorted({p.name[4:9] for p in folder.glob("RUL_FD00*")}):
        if options.only in (None, name):
            results[name] = measure(read(folder, name))
            print(name, results[name], flush=True)
    if options.json:
        print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
