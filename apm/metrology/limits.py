"""The two ends of what a tolerance allows, for charts and trends.  `procedures` judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Ends = tuple[float | None, float | None]


def ends(tolerance: Mapping[str, Any] | None, reference: float | None) -> Ends:
    """Return the lowest and the highest value that pass; None: there is no such end.

    >>> ends({"type": "rel", "rel": 0.1}, 400)
    (360.0, 440.0)
    >>> ends({"type": "rel", "rel": 0.1}, None)
    (None, None)
    """
    if not tolerance:
        return None, None
    kind = str(tolerance["type"])
    if kind in FIXED:
        low, high = FIXED[kind]
        return tolerance.get(low), tolerance.get(high)
    if reference is None:
        return None, None
    if kind == "asym_rel":
        return _sorted(reference * (1 + tolerance["low"]), reference * (1 + tolerance["high"]))
    measure = REACH.get(kind)
    reach = measure(tolerance, abs(reference)) if measure else None
    return (None, None) if reach is None else (reference - reach, reference + reach)


def _sorted(one: float, other: float) -> Ends:
    return min(one, other), max(one, other)


def _of_its_range(tolerance: Mapping[str, Any], reference: float) -> float | None:
    for part in tolerance.get("ranges", ()):
        if part["from"] <= reference <= part["to"]:
            return float(part["rel"]) * reference
    return None


FIXED = {
    "le": ("", "limit"),
    "ge": ("limit", ""),
    "between": ("low", "high"),
    "manufacturer": ("low", "high"),
}
REACH: dict[str, Callable[[Mapping[str, Any], float], float | None]] = {
    "abs": lambda t, _ref: float(t["abs"]),
    "baseline_drift": lambda t, _ref: float(t["abs"]),
    "rel": lambda t, ref: float(t["rel"]) * ref,
    "sum_of": lambda t, ref: float(t["abs"]) + float(t["rel"]) * ref,
    "max_of": lambda t, ref: max(float(t["abs"]), float(t["rel"]) * ref),
    "by_range": _of_its_range,
}
