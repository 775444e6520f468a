"""The days ahead that chances are said for, and which of them a model may not show.

The horizon a model is judged by decides about the model; each other one only about its own chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apm.forecasts.foretold import Foretold
from apm.forecasts.model import ModelVersion

RANKED_DAYS = 90
"""The horizon the fleet is ranked by."""


def muted_horizons(version: ModelVersion | None) -> frozenset[int]:
    """Return the days within which its chances are not shown: they do worse than the baseline."""
    known: Mapping[str, Any] = (version.state_why or {}).get("horizons") or {} if version else {}
    return frozenset(int(days) for days in known)


def without(
    probabilities: Mapping[str, float] | None, muted: frozenset[int]
) -> dict[str, float] | None:
    """Return the chances that may be shown.

    >>> without({"30": 0.1, "90": 0.4}, frozenset({90}))
    {'30': 0.1}
    """
    if probabilities is None:
        return None
    return {days: p for days, p in probabilities.items() if int(days) not in muted}


def known_within(probabilities: Mapping[str, float] | None, days: int) -> tuple[int, float]:
    """Return the longest horizon up to `days` that has a chance, and that chance; 0, 0.0: none.

    What fails within the shorter time fails within the longer: the chance is at least that.

    >>> known_within({"7": 0.1, "30": 0.2, "365": 0.9}, 90)
    (30, 0.2)
    """
    known = {int(h): p for h, p in (probabilities or {}).items() if int(h) <= days}
    most = max(known, default=0)
    return most, float(known.get(most, 0.0))


def path_within(said: Foretold, muted: frozenset[int]) -> list[list[float]] | None:
    """Return the fan, of a life only so far as its chances may be shown: it tells them too."""
    if said.path is None or said.sensor_id is not None or not said.probabilities:
        return said.path
    shown = [int(days) for days in said.probabilities if int(days) not in muted]
    if muted and max(muted) > max(shown, default=0):
        return [row for row in said.path if row[0] <= max(shown, default=0)]
    return said.path
