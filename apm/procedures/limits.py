"""Whether a tolerance makes sense: the numbers its rule needs and no others, in a fit order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import ValidationError

from apm.core.i18n import _l
from apm.procedures.tolerance import COMPARED, NEEDS, RULES, Tolerance, exact, shortest

MOST_SHARE = 10
RANGE_KEYS = frozenset({"from", "from_inc", "to", "to_inc", "rel"})
LARGEST = 1e12


def check_tolerance(plain: Any) -> dict[str, Any]:
    """Return a tolerance that can be judged by, its numbers plain.

    Raises:
        ValidationError: it cannot; the errors stand under the name of each number.
    """
    if not isinstance(plain, Mapping):
        raise ValidationError([_l("Give an object.")])
    kind = plain.get("type")
    if not isinstance(kind, str) or kind not in RULES:
        known = ", ".join(RULES)
        raise ValidationError({"type": [_l("Choose one of: %(names)s.", names=known)]})
    wrong = _misplaced(plain, kind)
    if wrong:
        raise ValidationError(wrong)
    made = {name: shortest(plain[name]) for name in plain if plain[name] is not None}
    _check_numbers(made, wrong)
    if not wrong:
        _check_order(made, wrong)
    if wrong:
        raise ValidationError(wrong)
    Tolerance.of(made)
    return made


def _misplaced(plain: Mapping[str, Any], kind: str) -> dict[str, list[object]]:
    """Return the errors of numbers that the rule does not have, or lacks."""
    allowed = {"type", *NEEDS[kind]} | ({"low", "high"} if kind == "manufacturer" else set())
    extra = {
        str(name): [_l("This rule has no such number. Leave it out.")]
        for name in plain
        if name not in allowed
    }
    lacking = {
        name: [_l("This rule needs this number.")]
        for name in NEEDS[kind]
        if plain.get(name) in (None, [], "")
    }
    return {**extra, **lacking}


def _check_numbers(made: Mapping[str, Any], wrong: dict[str, list[object]]) -> None:
    for name, value in made.items():
        if name == "type":
            continue
        if name == "ranges":
            _check_ranges(value, wrong)
        elif not _is_number(value):
            wrong[name] = [_l("Give a number.")]
        elif name in {"abs", "rel"} and value < 0:
            wrong[name] = [_l("Give 0 or more.")]
        elif name == "rel" and value > MOST_SHARE:
            wrong[name] = [_l("This is more than 1000 %. A share of 10 % is 0.1.")]


def _is_number(value: object) -> bool:
    is_plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_plain and math.isfinite(value) and abs(value) <= LARGEST  # type: ignore[arg-type]  # it is one


def _check_order(made: Mapping[str, Any], wrong: dict[str, list[object]]) -> None:
    low, high = made.get("low"), made.get("high")
    if low is not None and high is not None and low > high:
        wrong["high"] = [_l("The upper limit is below the lower one.")]
    if all(made.get(name) == 0 for name in ("abs", "rel") if name in NEEDS[made["type"]]) and (
        "abs" in made or "rel" in made
    ):
        wrong["abs" if "abs" in made else "rel"] = [
            _l("With 0 nothing but the exact value would pass. Give a tolerance.")
        ]


def _check_ranges(ranges: Any, wrong: dict[str, list[object]]) -> None:
    if not isinstance(ranges, list) or not all(_is_range(one) for one in ranges):
        wrong["ranges"] = [
            _l("Give each range from, to, whether its ends belong to it, and a share.")
        ]
        return
    for before, after in itertools.pairwise(ranges):
        meets_twice = before["to"] == after["from"] and before["to_inc"] and after["from_inc"]
        if before["to"] > after["from"] or meets_twice:
            wrong["ranges"] = [_l("The ranges overlap. Order them, and let each value be in one.")]


def _is_range(one: Any) -> bool:
    if not isinstance(one, Mapping) or set(one) != RANGE_KEYS:
        return False
    numbers = all(_is_number(one[name]) for name in ("from", "to", "rel"))
    flags = isinstance(one["from_inc"], bool) and isinstance(one["to_inc"], bool)
    return numbers and flags and one["from"] < one["to"] and 0 < one["rel"] <= MOST_SHARE


def check_set_points(tolerance: Mapping[str, Any], points: Iterable[float | str]) -> list[object]:
    """Return what is wrong with the set points of a measurement judged by `tolerance`."""
    at = list(points)
    kind = tolerance["type"]
    if kind in COMPARED and not at:
        return [
            _l(
                "This limit is compared with a set value. Give the set points, or a word such as"
                " “displayed” where the value is read off."
            )
        ]
    names = [str(point) for point in at]
    if len(set(names)) < len(names):
        return [_l("A set point is listed twice.")]
    numbers = [point for point in at if not isinstance(point, str)]
    if kind in {"rel", "asym_rel"} and 0 in numbers:
        return [
            _l("No percentage of 0 can be judged. Use a limit with an amount, or leave 0 out.")
        ]
    if kind == "by_range" and any(not _in_a_range(tolerance, point) for point in numbers):
        return [_l("A set point lies in none of the ranges.")]
    return []


def _in_a_range(tolerance: Mapping[str, Any], point: float) -> bool:
    return any(r.holds(exact(point)) for r in Tolerance.of(tolerance).ranges)
