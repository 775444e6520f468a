"""Whether a measured value is good enough: the one place on the server that judges it.

Limits are inclusive: a value exactly at its limit passes.  Sums are exact decimals of the numbers
as people write them, because in binary 10.8 - 10 exceeds 0.8 and a good device would fail.
`static/js/judge.js` judges by the same rules while somebody types.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from apm.procedures.model import Verdict


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the scale and the relative tolerance there."""

    low: float
    high: float
    rel: float
    has_low: bool = True
    has_high: bool = True

    def holds(self, reference: Decimal) -> bool:
        """Tell whether `reference` lies in this part."""
        low, high = exact(self.low), exact(self.high)
        above = reference > low or (self.has_low and reference == low)
        below = reference < high or (self.has_high and reference == high)
        return above and below


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a value may be off.  `type` names the rule, the rest are its numbers.

    `abs`, `limit`, `low` and `high` are in the unit of the measurement (`low` and `high` of
    `asym_rel` are shares), `rel` is a share: 0.1 is 10 %.
    """

    type: str
    limit: float | None = None
    low: float | None = None
    high: float | None = None
    abs: float | None = None
    rel: float | None = None
    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Tolerance:
        """Read what a template or a work order holds.

        Raises:
            ValueError: there is no such rule, or a number it needs is missing.
        """
        known = {f.name for f in fields(cls)} - {"ranges"}
        if unknown := set(plain) - known - {"ranges"}:
            raise ValueError(f"a tolerance has no {sorted(unknown)}")
        ranges = tuple(
            Range(r["from"], r["to"], r["rel"], bool(r["from_inc"]), bool(r["to_inc"]))
            for r in plain.get("ranges", ())
        )
        made = cls(**{key: plain[key] for key in known & set(plain)}, ranges=ranges)
        if made.type not in RULES:
            raise ValueError(f"there is no tolerance of type {made.type!r}")
        missing = [name for name in NEEDS[made.type] if getattr(made, name) in (None, ())]
        if missing:
            raise ValueError(f"a tolerance of type {made.type} needs {missing}")
        return made

    def number(self, name: str) -> Decimal:
        """Return one of the numbers, exactly."""
        return exact(getattr(self, name))


def exact(value: float) -> Decimal:
    """Return the decimal that people read where a float stands (10.8, not 10.800000000000001)."""
    return Decimal(repr(float(value)))


def shortest(value: Any) -> Any:
    """Return 1 for 1.0: two tolerances that mean the same are written alike."""
    if isinstance(value, list):
        return [shortest(one) for one in value]
    if isinstance(value, dict):
        return {name: shortest(one) for name, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True, slots=True)
class Case:
    """One value to judge, with what it is compared to; `aim` is the reference or baseline."""

    value: Decimal
    aim: Decimal | None
    tolerance: Tolerance

    def n(self, name: str) -> Decimal:
        """Return one number of the tolerance."""
        return self.tolerance.number(name)


def _near(case: Case, allowed: Callable[[Decimal], Decimal]) -> bool | None:
    if case.aim is None:
        return None
    return abs(case.value - case.aim) <= allowed(abs(case.aim))


def _share(case: Case) -> bool | None:
    if not case.aim:  # none, or zero: there is no share of nothing
        return None
    gap = (case.value - case.aim) / case.aim
    return case.n("low") <= gap <= case.n("high")


def _by_range(case: Case) -> bool | None:
    aim = case.aim
    found = [r for r in case.tolerance.ranges if aim is not None and r.holds(aim)]
    return _near(case, lambda ref: exact(found[0].rel) * ref) if found else None


def _of_the_maker(case: Case) -> bool | None:
    low, high = case.tolerance.low, case.tolerance.high
    if low is None and high is None:
        return None
    return (low is None or exact(low) <= case.value) and (
        high is None or case.value <= exact(high)
    )


RULES: dict[str, Callable[[Case], bool | None]] = {
    "le": lambda c: c.value <= c.n("limit"),
    "ge": lambda c: c.value >= c.n("limit"),
    "between": lambda c: c.n("low") <= c.value <= c.n("high"),
    "abs": lambda c: _near(c, lambda _ref: c.n("abs")),
    "rel": lambda c: _near(c, lambda ref: c.n("rel") * ref),
    "sum_of": lambda c: _near(c, lambda ref: c.n("abs") + c.n("rel") * ref),
    "max_of": lambda c: _near(c, lambda ref: max(c.n("abs"), c.n("rel") * ref)),
    "asym_rel": _share,
    "by_range": _by_range,
    "baseline_drift": lambda c: _near(c, lambda _ref: c.n("abs")),
    "manufacturer": _of_the_maker,
}
"""One rule a type.  None: something it needs (a reference, a limit) is not known."""
NEEDS: dict[str, tuple[str, ...]] = {
    "le": ("limit",),
    "ge": ("limit",),
    "between": ("low", "high"),
    "abs": ("abs",),
    "rel": ("rel",),
    "sum_of": ("abs", "rel"),
    "max_of": ("abs", "rel"),
    "asym_rel": ("low", "high"),
    "by_range": ("ranges",),
    "baseline_drift": ("abs",),
    "manufacturer": (),
}
COMPARED = frozenset({"abs", "rel", "sum_of", "max_of", "asym_rel", "by_range"})
"""Types that compare with a reference (a set point, or a value the tester reads off)."""


def judge(
    value: float,
    tolerance: Tolerance,
    reference: float | None = None,
    baseline: float | None = None,
) -> Verdict:
    """Return whether `value` is within `tolerance` of its reference, all in the same unit.

    `UNJUDGED` where that cannot be said: no maker's limit yet, no reference, no baseline.

    >>> judge(460, Tolerance("rel", rel=0.15), reference=400).value
    'pass'
    >>> judge(460.1, Tolerance("rel", rel=0.15), reference=400).value
    'fail'
    """
    if not math.isfinite(value):
        raise ValueError("a measured value is a number")
    aim = baseline if tolerance.type == "baseline_drift" else reference
    case = Case(exact(value), None if aim is None else exact(aim), tolerance)
    is_good = RULES[tolerance.type](case)
    if is_good is None:
        return Verdict.UNJUDGED
    return Verdict.PASS if is_good else Verdict.FAIL
