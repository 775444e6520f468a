"""Reads the Numenta Anomaly Benchmark's series and windows from a folder of public data."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
EPOCH = pd.Timestamp(0)
MONTH_S = 30.44 * 86400.0


@dataclass(frozen=True)
class Series:
    """One series: times in seconds (the file's clock read as UTC), values, labelled windows."""

    name: str
    at: NDArray[np.float64]
    value: NDArray[np.float64]
    windows: list[tuple[float, float]]

    @property
    def category(self) -> str:
        return self.name.split("/")[0]

    @property
    def months(self) -> float:
        return float(self.at.max() - self.at.min()) / MONTH_S


def find(given: str | None = None) -> Path | None:
    """Return the benchmark's folder: `given`, else APM_DATA, else the shared data next door."""
    start = given or os.environ.get("APM_DATA")
    folder = Path(start) if start else ROOT.parent / "shared" / "data"
    for candidate in (folder, folder / "nab"):
        if (candidate / "labels" / "combined_windows.json").is_file():
            return candidate
    return None


def read(folder: Path, name: str) -> Series:
    frame = pd.read_csv(folder / "data" / name, parse_dates=["timestamp"])
    at = (frame["timestamp"] - EPOCH).dt.total_seconds().to_numpy(float)
    edges = _windows(folder)[name]
    windows = [tuple((pd.Timestamp(edge) - EPOCH).total_seconds() for edge in w) for w in edges]
    return Series(name, at, frame["value"].to_numpy(float), windows)


def names(folder: Path) -> list[str]:
    """Return the labelled series that are present, in the labels' order."""
    return [name for name in _windows(folder) if (folder / "data" / name).is_file()]


def _windows(folder: Path) -> dict[str, list[list[str]]]:
    return json.loads((folder / "labels" / "combined_windows.json").read_text("utf-8"))
