"""How near the forecast remaining life of simulated turbofans comes to the truth.

NASA's C-MAPSS data (A. Saxena et al., "Damage propagation modeling for aircraft engine run-to-
failure simulation", PHM 2008): learn from the training units, forecast each test unit once, at
its last reading.  One frozen configuration, the default one, chosen by cross-validation on
training units of FD001 to FD003.  Both protocols: the truth capped at 125, and as it is.

    python -m tests.bench.cmapss DATA_DIR --json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from predict.conformal import calibrate, coverage
from predict.features import History
from predict.remaining_life import DEFAULT, RemainingLifeConfig, fit_remaining_life, left_out
from tests.bench.data import find

Array = NDArray[np.float64]
CAP = DEFAULT.cap
NEAR = 50.0
PUBLISHED = {
    "FD001": {"STAR 2024": (10.61, 169), "DAST 2022": (11.43, 203), "DCNN 2018": (12.61, None)},
    "FD002": {"STAR 2024": (13.47, 784), "FFVE": (12.55, 772), "DCNN 2018": (22.36, None)},
    "FD003": {"STAR 2024": (10.71, 202), "DAST 2022": (11.32, 154), "DCNN 2018": (12.64, None)},
    "FD004": {"FFVE": (14.08, 1149), "Deep LSTM 2017": (28.17, None)},
}
"""RMSE and score as their papers or reports quote them, capped protocol."""


@dataclass(frozen=True)
class Fleet:
    """Units to learn from with their ends, units to forecast with what was left of them."""

    training: list[History]
    ends: list[float]
    test: list[History]
    left: Array


def histories(path: Path) -> list[History]:
    """Read a file of rows: unit, cycle, three settings, sensors."""
    rows = np.loadtxt(path)
    return [
        History(
            str(int(u)),
            *(rows[rows[:, 0] == u][:, part] for part in (1, slice(2, 5), slice(5, None))),
        )
        for u in np.unique(rows[:, 0])
    ]


def file(folder: Path, stem: str) -> Path:
    """Return the file, packed or not."""
    packed = folder / f"{stem}.txt.gz"
    return packed if packed.is_file() else folder / f"{stem}.txt"


def read(folder: Path, name: str) -> Fleet:
    training = histories(file(folder, f"train_{name}"))
    left = np.loadtxt(file(folder, f"RUL_{name}"))
    return Fleet(
        training, [h.at[-1] for h in training], histories(file(folder, f"test_{name}")), left
    )


def rmse(error: Array) -> float:
    return float(np.sqrt((error**2).mean()))


def score(error: Array) -> float:
    """Return the PHM 2008 challenge's sum; a forecast that is too late costs more."""
    return float(np.where(error < 0, np.exp(-error / 13) - 1, np.exp(error / 10) - 1).sum())


def bootstrap(error: Array, of: Callable[[Array], float], rounds: int = 2000) -> list[float]:
    """Return the 95 % interval of a figure over test units drawn again with replacement."""
    draws = np.random.default_rng(0).integers(0, len(error), (rounds, len(error)))
    low, high = np.quantile([of(error[drawn]) for drawn in draws], [0.025, 0.975])
    return [round(float(low), 2), round(float(high), 2)]


def binomial(hits: int, n: int) -> list[float]:
    """Return the exact 95 % interval of a share (C. Clopper, E. Pearson, Biometrika 26, 1934)."""
    found = binomtest(hits, n).proportion_ci(0.95, "exact")
    return [round(float(found.low), 3), round(float(found.high), 3)]


def left_out_coverage(fleet: Fleet, config: RemainingLifeConfig) -> dict[str, float]:
    """Return coverage and width over engines to learn from, each judged by the other engines.

    Six moments of each engine: steadier than one moment of each test engine.
    """
    rng = np.random.default_rng(0)
    value, truth, unit = left_out(fleet.training, fleet.ends, rng, config)
    names = np.unique(unit)
    fold = (rng.permutation(len(names)) % config.folds)[np.searchsorted(names, unit)]
    low, high = np.empty((2, len(value)))
    for k in range(config.folds):
        own, others = fold == k, fold != k
        fit = calibrate(
            value[others],
            truth[others],
            unit[others],
            confidence=config.confidence,
            bins=config.bins,
            even=True,
        )
        low[own], high[own] = fit.interval(value[own], least=0.0, most=config.cap)
    found = coverage(low, high, truth)
    return {"share": round(found.share, 3), "width": round(found.width, 1), "n": found.n}


def trivial(fleet: Fleet) -> dict[str, float]:
    """Return the capped RMSE of a constant, and of age alone: mean left of units as old."""
    lives = np.array(fleet.ends)
    truth = np.minimum(fleet.left, CAP)
    age = np.array([h.at[-1] for h in fleet.test])
    every = np.concatenate(
        [np.minimum(e - h.at, CAP) for h, e in zip(fleet.training, lives, strict=True)]
    )
    by_age = [
        float(np.minimum(lives[lives > a] - a, CAP).mean()) if (lives > a).any() else 0.0
        for a in age
    ]
    return {
        "constant": round(rmse(every.mean() - truth), 2),
        "age_only": round(rmse(np.array(by_age) - truth), 2),
    }


def measure(fleet: Fleet, config: RemainingLifeConfig = DEFAULT) -> dict[str, object]:
    began = process_time()
    model = fit_remaining_life(fleet.training, fleet.ends, np.random.default_rng(0), config)
    fitted = process_time() - began
    said = model.now(fleet.test)
    value, low, high = (np.array([getattr(s, k) for s in said]) for k in ("value", "low", "high"))
    truth = np.minimum(fleet.left, CAP)
    near = value <= NEAR
    error = value - truth
    all_units, near_end = (
        coverage(low, high, truth),
        coverage(low[truth <= NEAR], high[truth <= NEAR], truth[truth <= NEAR]),
    )
    return {
        "rmse": round(rmse(error), 2),
        "score": round(score(error), 1),
        "coverage": round(all_units.share, 3),
        "width": round(all_units.width, 1),
        "seconds": round(fitted, 1),
        "rmse_interval": bootstrap(error, rmse),
        "score_interval": bootstrap(error, score),
        "coverage_interval": binomial(round(all_units.share * all_units.n), all_units.n),
        "rmse_uncapped": round(rmse(value - fleet.left), 2),
        "score_uncapped": round(score(value - fleet.left), 1),
        "least_possible_uncapped": round(rmse(truth - fleet.left), 2),
        "coverage_near_end": round(near_end.share, 3),
        "width_near_end": round(near_end.width, 1),
        "width_forecast_near_end": round(float((high - low)[near].mean()), 1)
        if near.any()
        else None,
        "trivial": trivial(fleet),
        "n_training": len(fleet.training),
        "n_test": len(fleet.test),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cmapss")
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
    present = sorted({p.name[4:9] for p in folder.glob("RUL_FD00*")})
    results = {}
    for name in present:
        if options.only in (None, name):
            fleet = read(folder, name)
            results[name] = {
                **measure(fleet),
                "coverage_left_out": left_out_coverage(fleet, DEFAULT),
            }
            print(name, results[name])
            print("      published (RMSE, score):", PUBLISHED.get(name, {}), flush=True)
    if options.json:
        print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
