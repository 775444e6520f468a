"""Whether failures are foretold from logs: machines by the hour, and disks by the month.

Machines: Microsoft's predictive-maintenance sample (simulated; without its telemetry): errors,
replacements, model and age.  Learn up to 30 September, choose the threshold in October to
mid November, a horizon apart, test from 17 November on.  Horizons 24 and 48 hours; errors warn a
day ahead, what lies further comes from the wear of the parts (`predict.visit_hazard`).

    python -m tests.bench.fleet DATA_DIR --bound --json
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from predict.alarm_record import Watch, alarm_record
from predict.failure_soon import (
    DEFAULT,
    FailureSoonConfig,
    FailureSoonModel,
    event_features,
    fails_within,
    fit_failure_soon,
)
from predict.rhythm import rhythm_features
from predict.visit_hazard import (
    VisitHazard,
    any_fails,
    fit_visit_hazard,
    part_rows,
    soon_or_at_visit,
)
from tests.bench import disks, fleet_bound
from tests.bench.data import find
from tests.bench.f1 import best_expected_f1, best_f1, f1, interval

Array = NDArray[np.float64]
WINDOWS = (6.0, 24.0, 48.0, 168.0)
VISITS, ERRORS, FAILURES = "maint", "errors", "failures"
WARNED = 24.0
"""How early errors come, in hours; further ahead wear alone tells."""
DAY = 24.0
AFTER_VISIT = 6.0
"""Hours within which a failure belongs to a visit."""
TEST, END = "2015-11-17", "2016-01-01"
EPOCH = pd.Timestamp("2015-01-01")
MONTH_H = 30.44 * 24.0
PUBLISHED = {
    24: {"Random forest with telemetry": 0.989, "Logistic regression": 0.808},
    48: {"Random forest with telemetry": 0.866, "Logistic regression": 0.512},
}


@dataclass(frozen=True)
class Machine:
    """One machine's log: hours since 1 January 2015, by kind of event."""

    name: int
    fixed: tuple[float, float]
    events: dict[str, Array]
    failures: Array

    def rows(self, at: Array) -> Array:
        """Return counts and ages of events, the rhythm of visits, ages at the next visit, make."""
        logged = event_features(self.events, at, WINDOWS)
        rhythm = self.rhythm(at)
        parts = {k: v for k, v in self.events.items() if k.startswith((ERRORS, VISITS))}
        ages = event_features(parts, at, ())
        fixed = np.tile(self.fixed, (len(at), 1))
        return np.column_stack([logged, rhythm, ages + rhythm[:, 2:], fixed])

    def of(self, kind: str) -> dict[str, Array]:
        return {k: v for k, v in self.events.items() if k.startswith(kind)}

    def rhythm(self, at: Array) -> Array:
        return rhythm_features(np.concatenate(list(self.of(VISITS).values())), at)

    def at_next_visit(self, at: Array) -> tuple[Array, Array]:
        """Return the parts' rows at the next visit, and the hours to it."""
        to_go = self.rhythm(at)[:, 2]
        return part_rows(self.of(VISITS), at, to_go, self.fixed), to_go


def hours(stamp: object) -> float:
    return (pd.Timestamp(str(stamp)) - EPOCH).total_seconds() / 3600.0


def machines(folder: Path) -> list[Machine]:
    frames = {
        name: pd.read_csv(next(folder.glob(f"PdM_{name}.csv*")))
        for name in ("errors", "maint", "failures", "machines")
    }
    for name in ("errors", "maint", "failures"):
        times = pd.to_datetime(frames[name]["datetime"])
        frames[name]["hour"] = (times - EPOCH).dt.total_seconds() / 3600.0
    kinds = [("errors", "errorID"), ("maint", "comp"), ("failures", "failure")]
    values = {name: sorted(frames[name][column].unique()) for name, column in kinds}
    models = sorted(frames["machines"]["model"].unique())
    found = []
    for name, model, age in frames["machines"][["machineID", "model", "age"]].itertuples(
        index=False
    ):
        own = {k: f[f["machineID"] == name] for k, f in frames.items() if k != "machines"}
        events = {
            f"{k} {v}": own[k]["hour"][own[k][column] == v].to_numpy(float)
            for k, column in kinds
            for v in values[k]
        }
        failures = np.unique(own["failures"]["hour"].to_numpy(float))
        found.append(
            Machine(int(name), (float(models.index(model)), float(age)), events, failures)
        )
    return found


def table(
    fleet: list[Machine], at: Array, horizon: float, until: float
) -> tuple[Array, Array, Array]:
    rows = np.concatenate([m.rows(at) for m in fleet])
    label = np.concatenate(
        [fails_within(m.failures, at, horizon, known_until=until) for m in fleet]
    )
    return rows, label, np.repeat([m.name for m in fleet], len(at))


@dataclass(frozen=True)
class Foreteller:
    """Tells of failures within `horizon` hours: by errors, and by wear where those are silent."""

    near: FailureSoonModel
    wear: VisitHazard
    horizon: float

    def further(self, fleet: list[Machine], at: Array, near: Array) -> Array:
        if self.horizon <= WARNED:
            return near
        told = [m.at_next_visit(at) for m in fleet]
        hazard = any_fails(self.wear.hazards(np.concatenate([rows for rows, _ in told])))
        to_go = np.concatenate([t for _, t in told])
        return soon_or_at_visit(near, hazard, to_go, warned=WARNED, horizon=self.horizon)


def wear(fleet: list[Machine], until: float) -> VisitHazard:
    """Learn which part fails by a visit, from the day before each visit that was due."""
    rows, failed = [], []
    for m in fleet:
        at = np.arange(2 * DAY, until - DAY, DAY)
        parts, to_go = m.at_next_visit(at)
        eve = to_go <= DAY
        own = m.of(FAILURES).values()
        label = [fails_within(v, at, DAY + AFTER_VISIT, known_until=until) for v in own]
        rows.append(parts[eve])
        failed.append(np.column_stack(label)[eve])
    return fit_visit_hazard(np.concatenate(rows), np.concatenate(failed))


def measure(
    fleet: list[Machine],
    horizon: float,
    step: float = 5.0,
    config: FailureSoonConfig = DEFAULT,
) -> dict[str, object]:
    """Learn, choose the threshold, test.

    step: hours between the moments learnt from; it shares no divisor with 24, or whole hours of
    the day, and with them the hour at which visits begin, would never be learnt.
    """
    began = process_time()
    cut, chosen, test, end = (hours(d) for d in ("2015-09-30", "2015-11-15", TEST, END))
    near = min(horizon, WARNED)
    x, y, unit = table(fleet, np.arange(72.0, cut - near, step), near, cut)
    model = fit_failure_soon(x, y, unit, np.random.default_rng(0), config)
    teller = Foreteller(model, wear(fleet, cut), horizon)
    seconds = process_time() - began
    at = np.arange(cut + horizon, chosen - horizon, 2.0)
    x, y, _ = table(fleet, at, horizon, chosen)
    threshold = best_f1(y, teller.further(fleet, at, model.raw(x)))
    at = np.arange(test, end, 1.0)
    x, y, unit = table(fleet, at, horizon, end)
    known = np.isfinite(y)
    raw = teller.further(fleet, at, model.raw(x))
    said = raw >= threshold
    watches = [
        Watch(at, raw[k * len(at) : (k + 1) * len(at)], m.failures) for k, m in enumerate(fleet)
    ]
    record = alarm_record(watches, threshold, horizon, rest=24.0)
    label = y[known]
    probability = teller.further(fleet, at, model.probability(x))[known]
    past = np.arange(72.0, cut, DAY)
    rate = np.nanmean([fails_within(m.failures, past, horizon, known_until=cut) for m in fleet])
    return {
        **f1(label, said[known]),
        "f1_interval": interval(label, said[known], unit[known]),
        "best_expected_f1": best_expected_f1(probability),
        "average_precision": round(float(average_precision_score(label, raw[known])), 3),
        "roc_auc": round(float(roc_auc_score(label, raw[known])), 3),
        "brier": round(float(np.mean((probability - label) ** 2)), 5),
        "brier_base_rate": round(float(np.mean((rate - label) ** 2)), 5),
        "always_alarm": f1(label, np.ones(len(label), dtype=bool))["f1"],
        "event_recall": round(record.recall.value, 3) if record.recall else None,
        "events": record.recall.n if record.recall else 0,
        "lead_hours": round(record.lead, 1),
        "false_alarms_per_machine_month": round(record.false_rate.value * MONTH_H, 3)
        if record.false_rate
        else None,
        "fit_seconds": round(seconds, 1),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet")
    parser.add_argument("data_dir", nargs="?", help="the data folder, or azure_pdm within it")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--no-disks", action="store_true", help="machines only")
    parser.add_argument("--bound", action="store_true", help="how much the logs can tell of 48 h")
    parser.add_argument("--hours", type=int, nargs="*", default=[24, 48])
    options = parser.parse_args(arguments)
    folder = find("azure_pdm", "PdM_failures.csv*", options.data_dir)
    drives = find("backblaze", "*.parquet", options.data_dir)
    if folder is None and drives is None:
        where = options.data_dir or "APM_DATA or ../shared/data"
        print(f"skipped: no PdM_failures.csv and no backblaze/*.parquet under {where}")
        return 2 if options.data_dir else 0
    results = {}
    fleet = machines(folder) if folder else []
    for horizon in options.hours if fleet else []:
        results[f"azure_{horizon}h"] = measure(fleet, float(horizon))
        print(f"within {horizon} h:", results[f"azure_{horizon}h"])
        print("    published F1, other fleet split:", PUBLISHED.get(horizon, {}), flush=True)
    if options.bound and fleet:
        results["azure_48h_bound"] = fleet_bound.bound(fleet, hours(TEST), hours(END))
        print("within 48 h, the most in hindsight:", results["azure_48h_bound"], flush=True)
    if drives and not options.no_disks:
        results |= foretell_disks(drives)
    if options.json:
        print(json.dumps(results))
    return 0


def foretell_disks(folder: Path) -> dict[str, object]:
    """Measure and print; say what is missing where the file cannot be read here."""
    try:
        read = disks.read(next(folder.glob("*.parquet")))
    except ImportError as missing:
        print(f"disks skipped: {missing}")
        return {}
    found = disks.measure(read)
    print("disks within 30 days:", found)
    print("    beside:", disks.REFERENCE, flush=True)
    return {"backblaze_30d": found}


if __name__ == "__main__":
    sys.exit(main())
