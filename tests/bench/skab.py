"""How well a device's eight sensors tell that it was tampered with: the Skoltech pump bench.

Data: I. Katser, V. Kozitsin, "Skoltech Anomaly Benchmark (SKAB)" (2020).  As its leaderboard
does it: learn from each file's first 400 rows, judge the others, pool all files.  One frozen
configuration, the default one of this file.

    python -m tests.bench.skab DATA_DIR --json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from predict.multivariate import combined, fit_mahalanobis
from tests.bench.data import find

TRAINING = 400
WINDOWS = ((20, 3.0),)
PUBLISHED = {
    "Conv-AE": {"f1": 0.78, "far": 13.6, "mar": 28.0},
    "MSET": {"f1": 0.78, "far": 39.7, "mar": 14.1},
    "T2+Q": {"f1": 0.76, "far": 26.6, "mar": 24.9},
    "LSTM-AE": {"f1": 0.74},
    "Isolation forest": {"f1": 0.29},
}
Array = NDArray[np.float64]


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*/*.csv") if p.parent.name != "anomaly-free")


def read(path: Path) -> tuple[Array, NDArray[np.bool_]]:
    """Return the sensors (n, 8) and whether each row is anomalous."""
    frame = pd.read_csv(path, sep=";")
    return frame.iloc[:, 1:9].to_numpy(float), frame["anomaly"].to_numpy() > 0


def scores(values: Array, windows: tuple[tuple[int, float], ...] = WINDOWS) -> Array:
    members = [
        fit_mahalanobis(values[:TRAINING], window=window, factor=factor)
        for window, factor in windows
    ]
    return combined(members, values).score[TRAINING:]


def figures(score: Array, truth: NDArray[np.bool_]) -> dict[str, float]:
    """Return F1, false and missed alarm rates in percent, at the limit of 1."""
    said = score >= 1.0
    hit = int((said & truth).sum())
    precision, recall = hit / max(int(said.sum()), 1), hit / int(truth.sum())
    return {
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 3),
        "far": round(100 * float(said[~truth].mean()), 1),
        "mar": round(100 * (1 - recall), 1),
        "auc": round(float(roc_auc_score(truth, score)), 3),
    }


def measure(folder: Path, windows: tuple[tuple[int, float], ...] = WINDOWS) -> dict[str, object]:
    began = process_time()
    parts = [
        (scores(values, windows), label[TRAINING:]) for values, label in map(read, files(folder))
    ]
    seconds = process_time() - began
    score, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(200):
        chosen = [parts[k] for k in rng.integers(0, len(parts), len(parts))]
        draws.append(figures(*(np.concatenate(c) for c in zip(*chosen, strict=True)))["f1"])
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        **figures(score, truth),
        "f1_interval": [round(float(low), 3), round(float(high), 3)],
        "always_alarm": figures(np.ones(len(truth)), truth),
        "files": len(parts),
        "seconds": round(seconds, 2),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.skab")
    parser.add_argument("data_dir", nargs="?", help="the data folder, or skab within it")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args(arguments)
    folder = find("skab", "other/*.csv", options.data_dir)
    if folder is None:
        print(f"skipped: no other/*.csv under {options.data_dir or 'APM_DATA or ../shared/data'}")
        return 2 if options.data_dir else 0
    result = measure(folder)
    print(result)
    print("published, on all 34 files:", PUBLISHED)
    if options.json:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
