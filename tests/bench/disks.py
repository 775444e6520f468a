"""Whether a disk that fails within 30 days is known beforehand, from its own counters.

Data: a part of Backblaze's drive statistics, told by change.  Split by drive, 70 to 30; asked each
30 days of a drive's life, so that each failure counts once.  What befell others of a drive's make
and batch (neighbours by serial number) is told by the drives learnt from, up to each moment's day.
One frozen configuration, chosen by three folds of the drives learnt from.  Its file is Parquet:
reading it needs fastparquet, one of the developers' packages.  `tests.bench.fleet` runs this.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from predict.change_features import ChangeLog, change_features, peak_features
from predict.failure_soon import FailureSoonConfig, fit_failure_soon
from predict.peer_failures import PeerLives, peer_rates

Array = NDArray[np.float64]
MONTH = 720.0
WINDOWS = (48.0, 720.0, 2160.0)
PEER_WINDOWS = (720.0, 2160.0, 8760.0)
BATCH = 100
"""Drives a batch: neighbours by serial number within a make."""
BATCH_WINDOWS = (2160.0, 8760.0, 1e6)
CONFIG = FailureSoonConfig(rounds=160, rate=0.04, leaves=8, leaf_rows=100, categories=(0,))
WEEKS = 4
STUDY_END = float(np.datetime64("2016-10-01", "h").astype(np.int64))
COUNTERS = [f"smart_{n}" for n in (5, 10, 12, 187, 188, 189, 196, 197, 198)]
KINDS = len(COUNTERS)
COLUMNS = [
    k
    for k in range(KINDS + len(WINDOWS) * (2 * KINDS + 1) + 2 * KINDS + 1)
    if not 0 <= k - KINDS < len(WINDOWS) * (2 * KINDS + 1)
    or not KINDS <= (k - KINDS) % (2 * KINDS + 1) < 2 * KINDS
]
"""Of `change_features` all but how often each counter rose, which told nothing more."""
RULE = [1, 4, 5, 8, 9]
"""Places in a row of the five counters that operators watch: an alarm where any is above 0."""
FALSE_RATE = 0.01
QUIET_SHARE = 0.125
"""Share of drives that did not fail that is learnt from, each weighing the more."""
REFERENCE = {
    "own first try, other moments": {"roc_auc": 0.898, "recall_at_1_percent": 0.48},
    "five counters there": {"roc_auc": 0.771},
}
"""Five counters learn nothing, so that their area tells how hard a set of moments is."""


@dataclass(frozen=True)
class Disks:
    """Changes of all drives; by drive: begin and end in hours of service, failed, make, size.

    batch: number of each drive's batch.  seen: when first seen, in hours of the calendar.
    """

    log: ChangeLog
    begin: Array
    end: Array
    failed: NDArray[np.bool_]
    model: Array
    batch: NDArray[np.int64]
    size: Array
    seen: Array

    def peers(self, chosen: NDArray[np.bool_]) -> tuple[PeerLives, PeerLives]:
        """Return the lives of drives by the calendar, by make and by batch."""
        until = self.seen + self.end - self.begin
        lives = self.seen[chosen], until[chosen], self.failed[chosen]
        make = self.model.astype(np.int64)
        return PeerLives(make[chosen], *lives), PeerLives(self.batch[chosen], *lives)

    def moments(self, chosen: NDArray[np.bool_], step: float) -> tuple[NDArray[np.int64], Array]:
        """Return drive and hour of each moment, `step` hours apart from the first reading on."""
        count = np.where(chosen, np.ceil((self.end - self.begin) / step), 0).astype(np.int64)
        unit = np.repeat(np.arange(len(count)), count)
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return unit, self.begin[unit] + place * step

    def labels(self, unit: NDArray[np.int64], at: Array) -> Array:
        """Return whether each fails within a month, NaN where its watch ends before.

        A month that ends after the study has no label even where the failure is known: else
        failures alone would be left of its last days, and the day would tell them apart.
        """
        soon = self.failed[unit] & (self.end[unit] <= at + MONTH)
        label = np.where(soon, 1.0, np.where(at + MONTH > self.end[unit], np.nan, 0.0))
        day = self.seen[unit] + at - self.begin[unit]
        return np.where(day + MONTH > STUDY_END, np.nan, label)

    def rows(
        self, peers: tuple[PeerLives, PeerLives], unit: NDArray[np.int64], at: Array
    ) -> Array:
        told = change_features(self.log, unit, at, WINDOWS)
        peak = peak_features(self.log, unit, at)
        make, begin = self.model[unit], self.begin[unit]
        day = self.seen[unit] + at - begin
        by_make = peer_rates(peers[0], make, day, PEER_WINDOWS)
        by_batch = peer_rates(peers[1], self.batch[unit], day, BATCH_WINDOWS)[:, ::2]
        fixed = [at, begin, self.size[unit]]
        return np.column_stack([make, told[:, COLUMNS], peak, by_make, by_batch, *fixed])


def batches(make: Array, serial: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the batch of each drive: about `BATCH` neighbours by serial number within a make."""
    order = np.lexsort((serial, make))
    first = np.searchsorted(make[order], make[order])
    count = np.bincount(make.astype(np.int64))[make[order].astype(np.int64)]
    parts = np.maximum(1, np.rint(count / BATCH))
    place = np.floor((np.arange(len(make)) - first) / count * parts)
    found = np.empty(len(make), dtype=np.int64)
    found[order] = np.cumsum(
        np.append(0, (np.diff(place) != 0) | (np.diff(make[order]) != 0)).astype(np.int64)
    )
    return found


def read(path: Path) -> Disks:
    """Read the file.

    Raises:
        ImportError: fastparquet is not installed.
    """
    columns = [
        "serial_number",
        "model",
        "size_tb",
        "min_date",
        "tstart",
        "tstop",
        "fails",
        *COUNTERS,
    ]
    frame = importlib.import_module("fastparquet").ParquetFile(str(path)).to_pandas(columns)
    name = frame["serial_number"].astype(str).to_numpy()
    unit = np.unique(name, return_inverse=True)[1].astype(np.int64)
    order = np.lexsort((frame["tstart"], unit))
    frame, unit = frame.iloc[order], unit[order]
    first = np.flatnonzero(np.append([True], unit[1:] != unit[:-1]))
    last = np.append(first[1:], len(unit)) - 1
    start, day = frame["tstart"].to_numpy(float), pd.to_datetime(frame["min_date"])
    models = np.unique(frame["model"].astype(str), return_inverse=True)[1][first].astype(float)
    return Disks(
        ChangeLog(unit, start, frame[COUNTERS].to_numpy(float)),
        start[first],
        frame["tstop"].to_numpy(float)[last],
        frame["fails"].to_numpy(float)[last] > 0,
        models,
        batches(models, np.unique(name)),
        frame["size_tb"].to_numpy(float)[first],
        day.to_numpy("datetime64[h]").astype(float)[first],
    )


def recall_at(label: Array, score: Array, false_rate: float = FALSE_RATE) -> float:
    """Return the share of failures above the threshold that `false_rate` of the others pass."""
    false, true, _ = roc_curve(label, score)
    return float(np.interp(false_rate, false, true))


def figures(label: Array, score: Array) -> dict[str, float]:
    return {
        "roc_auc": round(float(roc_auc_score(label, score)), 3),
        "average_precision": round(float(average_precision_score(label, score)), 3),
        "recall_at_1_percent": round(recall_at(label, score), 3),
    }


def expected(probability: Array) -> dict[str, float]:
    """Return the area and recall that these probabilities would have if they were exact.

    Each moment stands for itself twice: failing, by its probability, and not, by the rest.
    """
    twice = np.concatenate([probability, probability])
    label = np.repeat([1.0, 0.0], len(probability))
    heavy = np.concatenate([probability, 1.0 - probability])
    false, true, _ = roc_curve(label, twice, sample_weight=heavy)
    return {
        "roc_auc": round(float(np.trapezoid(true, false)), 3),
        "recall_at_1_percent": round(float(np.interp(FALSE_RATE, false, true)), 3),
    }


def interval(label: Array, score: Array, unit: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return 95 % intervals over drives drawn again with replacement."""
    names, place = np.unique(unit, return_inverse=True)
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(40):
        weight = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))[place]
        false, true, _ = roc_curve(label, score, sample_weight=weight)
        draws.append((np.trapezoid(true, false), np.interp(FALSE_RATE, false, true)))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0).round(3).tolist()
    return {"roc_auc": [low[0], high[0]], "recall_at_1_percent": [low[1], high[1]]}


def learnt(
    disks: Disks, training: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Array, ...]:
    """Return features, label, drive and weight, of failed drives and a part of the others.

    Of moments a week apart all before a failure are kept, of the others one in four, by chance and
    for all drives alike: were failing drives alone asked each week, the hour itself would tell
    them apart.  A drive's first month, in which hardly anything is known, is kept whole.
    """
    peers = disks.peers(training)
    few = training & ~disks.failed & (rng.random(len(training)) < QUIET_SHARE)
    unit, at = disks.moments((training & disks.failed) | few, MONTH / WEEKS)
    label = disks.labels(unit, at)
    whole = (label > 0) | (at < disks.begin[unit] + MONTH)
    kept = whole | (rng.random(len(at)) < 1.0 / WEEKS)
    share = np.where(disks.failed[unit], 1.0, QUIET_SHARE)
    weight = np.where(whole, 1.0 / WEEKS, 1.0) / share
    unit, at = unit[kept], at[kept]
    return disks.rows(peers, unit, at), label[kept], unit, weight[kept]


def measure(disks: Disks) -> dict[str, object]:
    began = process_time()
    rng = np.random.default_rng(0)
    training = rng.random(len(disks.begin)) < 0.7
    x, y, unit, weight = learnt(disks, training, rng)
    model = fit_failure_soon(x, y, unit, rng, CONFIG, weight)
    seconds = process_time() - began
    unit, at = disks.moments(~training, MONTH)
    label = disks.labels(unit, at)
    known = np.isfinite(label)
    unit, at, label = unit[known], at[known], label[known]
    rows = disks.rows(disks.peers(training), unit, at)
    score = model.raw(rows)
    probability = np.asarray(model.calibration.predict(score))
    rule = (np.nan_to_num(rows[:, RULE]) > 0).sum(axis=1)
    watched = at > disks.begin[unit]
    return {
        **figures(label, score),
        "intervals": interval(label, score, unit),
        "expected": expected(probability),
        "brier": round(float(np.mean((probability - label) ** 2)), 6),
        "brier_base_rate": round(float(np.mean((model.base_rate - label) ** 2)), 6),
        "five_counters": figures(label, rule),
        "age_only": figures(label, at),
        "after_a_month_of_watch": {
            **figures(label[watched], score[watched]),
            "five_counters": figures(label[watched], rule[watched])["roc_auc"],
        },
        "moments": len(label),
        "failures": int(label.sum()),
        "fit_seconds": round(seconds, 1),
    }
