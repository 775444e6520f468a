"""Measures the detector, in its one frozen configuration, on the Numenta Anomaly Benchmark.

python -m tests.bench.nab [DATA_DIR] [--json]   DATA_DIR: the data folder, or nab within it

Prints a line a series; with --json the last line is one JSON object.  Two kinds of figures:
"findings" is what the program does, episodes against windows; the three profile scores are the
benchmark's own, from the row scores with its threshold search.  Some of its categories may be
absent from the folder: totals compare with published ones only when none is.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from predict.anomaly import DEFAULT, Scores, SeasonalDetector
from tests.bench.nab_data import Series, find, names, read
from tests.bench.nab_score import Profile, Rows, best_threshold, judge, normalised

KEY_SERIES = [
    "realKnownCause/ambient_temperature_system_failure.csv",
    "realKnownCause/machine_temperature_system_failure.csv",
]


@dataclass(frozen=True)
class Findings:
    """Windows of a series, how many hold a finding's beginning, and findings outside all."""

    windows: int
    found: int
    false: int
    months: float

    @property
    def false_per_month(self) -> float:
        return self.false / self.months


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def count(series: Series, raised: list[float]) -> Findings:
    def holds(window: tuple[float, float], at: float) -> bool:
        return window[0] <= at <= window[1]

    found = sum(any(holds(window, at) for at in raised) for window in series.windows)
    false = sum(not any(holds(window, at) for window in series.windows) for at in raised)
    return Findings(len(series.windows), found, false, series.months)


def detect(series: Series) -> Scores:
    return SeasonalDetector().update(series.at, series.value)


def records(scores: Scores) -> NDArray[np.float64]:
    """Return the row scores that the episode rule would tell anew, at any threshold; others 0.

    The benchmark charges every row; a person is told once, and again after the rest period or
    when it has become `rest_factor` times worse.
    """
    rule = DEFAULT.episodes
    told = np.zeros(len(scores.score))
    highest, highest_at = 0.0, -np.inf
    for row, (at, score) in enumerate(zip(scores.at, np.nan_to_num(scores.score), strict=True)):
        rested = at - highest_at > rule.rest_s
        if score > 0 and (rested or score >= rule.rest_factor * highest):
            told[row], highest, highest_at = score, score, at
    return told


def raises(scores: Scores) -> NDArray[np.float64]:
    """Return 1 at each reading that opened an episode, 0 elsewhere: what the program says."""
    openings = {episode.raised_at for episode in scores.episodes}
    known = ~np.isnan(scores.score)
    return np.array([float(at in openings) for at in scores.at]) * known


def profiles(folder: Path) -> dict[str, Profile]:
    loaded = json.loads((folder / "profiles.json").read_text("utf-8"))
    return {
        name: Profile(cost["tpWeight"], cost["fnWeight"], cost["fpWeight"])
        for name, cost in ((name, body["CostMatrix"]) for name, body in loaded.items())
    }


def benchmark_scores(rows: Rows, weights: dict[str, Profile]) -> dict[str, object]:
    """Return the three totals at their best thresholds, and the same split by category."""
    categories = sorted(set(rows.window_category))
    result: dict[str, object] = {}
    split: dict[str, dict[str, float]] = {category: {} for category in categories}
    for name, profile in weights.items():
        threshold = best_threshold(rows, profile)
        result[name] = round(normalised(rows, profile, threshold), 2)
        for category in categories:
            split[category][name] = round(normalised(rows, profile, threshold, category), 2)
    return result | {"by_category": split}


def measure(folder: Path) -> dict[str, object]:
    every = [read(folder, name) for name in names(folder)]
    scores = [detect(series) for series in every]
    findings = {}
    say(f"{'series':62}{'windows':>8}{'found':>7}{'false':>7}{'months':>8}{'false/month':>12}")
    for series, said in zip(every, scores, strict=True):
        counted = count(series, [episode.raised_at for episode in said.episodes])
        findings[series.name] = asdict(counted) | {"false_per_month": counted.false_per_month}
        say(
            f"{series.name:62}{counted.windows:8}{counted.found:7}{counted.false:7}"
            f"{counted.months:8.2f}{counted.false_per_month:12.2f}"
        )
    weights = profiles(folder)
    by_rows = benchmark_scores(judge(every, [records(said) for said in scores]), weights)
    told = judge(every, [raises(said) for said in scores])
    fixed = {name: round(normalised(told, w, 1.0), 2) for name, w in weights.items()}
    say(f"benchmark score, threshold searched: {by_rows}")
    say(f"benchmark score of the findings as they are, no search: {fixed}")
    return by_rows | {"as_findings": fixed, "findings": findings}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.nab")
    parser.add_argument("data_dir", nargs="?", help="the data folder, or nab within it")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args(arguments)
    folder = find(options.data_dir)
    if folder is None:
        where = options.data_dir or "APM_DATA or ../shared/data"
        say(f"skipped: no labels/combined_windows.json under {where}")
        return 2 if options.data_dir else 0
    result = measure(folder)
    if options.json:
        say(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
