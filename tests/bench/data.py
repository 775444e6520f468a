"""Finds a folder of public data: where it was said to be, in APM_DATA, or next door."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def find(name: str, proof: str, given: str | None = None) -> Path | None:
    """Return the folder `name` that holds a file like `proof`: `given` itself or within it."""
    start = given or os.environ.get("APM_DATA")
    folder = Path(start) if start else ROOT.parent / "shared" / "data"
    for candidate in (folder, folder / name):
        if any(candidate.glob(proof)):
            return candidate
    return None
