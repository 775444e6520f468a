"""Whether fitted lives find a known truth, and how well pooling does for models with few failures.

Simulated fleets with right censoring and late entry, in four categories of six models: the error
of the log characteristic life, pooled, alone, and with all models taken for one; coverage of the
90 % interval; the Weibull fit's coverage of its own parameters.

    python -m tests.bench.survival --json
"""

from __future__ import annotations

import argparse
import json
import sys
from time import process_time

import numpy as np

from predict.life_models import fit_life
from predict.pooling import pool
from predict.survival import Lives, lives

SHAPE, ROUNDS = 1.6, 60


def watched(rng: np.random.Generator, scale: float, n: int) -> Lives:
    """Return units bought over time, some under watch only from some age on."""
    life = scale * rng.weibull(SHAPE, 4 * n)
    entry = rng.uniform(0, 400, 4 * n) * (rng.random(4 * n) < 0.4)
    seen = np.flatnonzero(life > entry)[:n]
    stop = entry[seen] + rng.uniform(100, 1400, len(seen))
    return lives(np.minimum(life[seen], stop), life[seen] <= stop, entry[seen])


def fleets(rng: np.random.Generator) -> tuple[dict[str, dict[str, Lives]], dict[str, float]]:
    groups: dict[str, dict[str, Lives]] = {}
    truth = {}
    for c in range(4):
        centre = 1000 * np.exp(rng.normal(0, 0.4))
        for m in range(6):
            truth[f"{c}.{m}"] = float(centre * np.exp(rng.normal(0, 0.25)))
            n = int(rng.integers(3, 30))
            groups.setdefault(str(c), {})[f"{c}.{m}"] = watched(rng, truth[f"{c}.{m}"], n)
    return groups, truth


def alone(one: Lives) -> float:
    exposure = float((one.exit**SHAPE - one.entry**SHAPE).sum())
    return (exposure / max(one.failures, 0.5)) ** (1 / SHAPE)


def measure() -> dict[str, object]:
    began = process_time()
    rng = np.random.default_rng(0)
    errors: dict[str, list[float]] = {"pooled": [], "alone": [], "all_alike": []}
    inside, fitted = [], []
    for _ in range(ROUNDS):
        groups, truth = fleets(rng)
        every = [one for models in groups.values() for one in models.values()]
        whole = Lives(
            *(np.concatenate([getattr(v, k) for v in every]) for k in ("exit", "failed", "entry"))
        )
        answers = pool(groups, SHAPE)
        for name, one in ((n, v) for models in groups.values() for n, v in models.items()):
            got = answers[name]
            inside.append(got.low <= truth[name] <= got.high)
            for kind, scale in (
                ("pooled", got.scale),
                ("alone", alone(one)),
                ("all_alike", alone(whole)),
            ):
                errors[kind].append(float(np.log(scale / truth[name])))
        one = watched(rng, 1000.0, 150)
        fit = fit_life(one)
        off = np.append(fit.beta, fit.log_sigma) - [np.log(1000.0), -np.log(SHAPE)]
        fitted.append(np.abs(off) <= 1.645 * np.sqrt(np.diag(fit.covariance)))
    return {
        **{
            f"log_error_{k}": round(float(np.sqrt(np.mean(np.square(e)))), 3)
            for k, e in errors.items()
        },
        "pooled_coverage_90": round(float(np.mean(inside)), 3),
        "weibull_coverage_90": round(float(np.mean(fitted)), 3),
        "fleets": ROUNDS,
        "models": len(inside),
        "seconds": round(process_time() - began, 1),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.survival")
    parser.add_argument("data_dir", nargs="?", help="not needed: the fleets are simulated")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.parse_args(arguments)
    print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
