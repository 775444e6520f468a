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
from predict.novelty import RangeNovelty
from tests.bench.nab_data import MONTH_S, Series, find, names, read
from tests.bench.nab_score import Profile, Rows, best_threshold, judge, normalised

KEY_SERIES = [
    "realKnownCause/ambient_temperature_system_failure.csv",
    "realKnownCause/machine_temperature_system_failure.csv",
]

REST_S = 86400.0
ALARM_SHARE, ALARM_FACTOR = 0.05, 1.5
"""Novelty and worsening that alarm a person, chosen on events caught, in folds of series."""
BUDGETS = (1.0, 2.0, 4.0)


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


def records(
    at: NDArray[np.float64],
    score: NDArray[np.float64],
    factor: float = DEFAULT.episodes.rest_factor,
) -> NDArray[np.float64]:
    """Return the row scores that a rule of rest would tell anew, at any threshold; others 0.

    The benchmark charges every row; a person is told once, and again after `REST_S` or when it
    has become `factor` times worse.
    """
    told = np.zeros(len(score))
    highest, highest_at = 0.0, -np.inf
    for row, (when, now) in enumerate(
        zip(at.tolist(), np.nan_to_num(score).tolist(), strict=True)
    ):
        rested = when - highest_at > REST_S
        if now > 0 and (rested or now >= factor * highest):
            told[row], highest, highest_at = now, now, when
    return told


def told(series: Series, said: Scores) -> NDArray[np.float64]:
    """Return what is told of the larger of both scores: unlike itself, or outside all it knows."""
    novel = RangeNovelty().update(series.at, series.value)
    return records(series.at, np.fmax(said.score, novel))


def alarms(series: Series, said: Scores) -> NDArray[np.float64]:
    """Return what a person is told within a budget: nothing twice that is hardly worse."""
    novel = RangeNovelty(share=ALARM_SHARE).update(series.at, series.value)
    return records(series.at, np.fmax(said.score, novel), ALARM_FACTOR)


def caught_at_budget(
    every: list[Series], scores: list[NDArray[np.float64]], per_month: float = 1.0
) -> dict[str, float]:
    """Return the share of windows caught, one threshold for all, within a budget of false alarms.

    `by_chance`: of alarms scattered at random as often as the budget allows.
    """
    months = sum(series.months for series in every)
    best, false = [], []
    for series, score in zip(every, scores, strict=True):
        outside = np.ones(len(score), dtype=bool)
        for left, right in series.windows:
            inside = (series.at >= left) & (series.at <= right)
            outside &= ~inside
            best.append(score[inside].max())
        false.append(score[outside])
    ordered = np.sort(np.concatenate(false))[::-1]
    allowed = int(per_month * months)
    threshold = max(float(ordered[allowed]) if allowed < len(ordered) else 0.0, 0.0)
    lengths = np.array([(b - a) / MONTH_S for s in every for a, b in s.windows])
    return {
        "caught": round(float((np.array(best) > threshold).mean()), 3),
        "by_chance": round(float((1.0 - np.exp(-per_month * lengths)).mean()), 3),
        "threshold": round(threshold, 3),
        "windows": len(best),
        "sensor_months": round(months, 1),
    }


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
    rows = [told(series, said) for series, said in zip(every, scores, strict=True)]
    by_rows = benchmark_scores(judge(every, rows), weights)
    real = [k for k, series in enumerate(every) if series.name.startswith("real")]
    budget = {
        f"{limit:g} a month": caught_at_budget(
            [every[k] for k in real], [alarms(every[k], scores[k]) for k in real], limit
        )
        for limit in BUDGETS
    }
    say(f"events of real series caught within a budget of false alarms: {budget}")
    found = judge(every, [raises(said) for said in scores])
    fixed = {name: round(normalised(found, w, 1.0), 2) for name, w in weights.items()}
    say(f"benchmark score, threshold searched: {by_rows}")
    say(f"benchmark score of the findings as they are, no search: {fixed}")
    return by_rows | {"at_budget": budget, "as_findings": fixed, "findings": findings}


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
