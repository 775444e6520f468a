"""Judging a measured value: limits count as good, and binary fractions never decide."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apm.procedures.catalogue import templates
from apm.procedures.model import StepKind, Verdict
from apm.procedures.snapshot import steps_for
from apm.procedures.tolerance import RULES, Tolerance, judge

PASS, FAIL, UNJUDGED = Verdict.PASS, Verdict.FAIL, Verdict.UNJUDGED
SMALL = Fraction(1, 10**6)


def text(value: float) -> Fraction:
    """The number as it is written: 0.1 is one tenth here."""
    return Fraction(repr(float(value)))


def limits(t, reference):
    """The lowest and highest good value, worked out in fractions: independent of the judge."""
    number = {k: text(v) for k, v in t.items() if isinstance(v, (int, float))}
    ref = text(reference) if reference is not None else None
    if t["type"] == "le":
        return None, number["limit"]
    if t["type"] == "ge":
        return number["limit"], None
    if t["type"] == "between":
        return number["low"], number["high"]
    if ref is None:
        return None, None
    if t["type"] == "asym_rel":
        return sorted([ref + number["low"] * ref, ref + number["high"] * ref])
    if t["type"] == "by_range":
        [found] = [
            r
            for r in t["ranges"]
            if (r["from"] < ref or (r["from_inc"] and r["from"] == ref))
            and (ref < r["to"] or (r["to_inc"] and ref == r["to"]))
        ]
        share = text(found["rel"]) * abs(ref)
    else:
        share = {
            "abs": lambda: number["abs"],
            "rel": lambda: number["rel"] * abs(ref),
            "sum_of": lambda: number["abs"] + number["rel"] * abs(ref),
            "max_of": lambda: max(number["abs"], number["rel"] * abs(ref)),
        }[t["type"]]()
    return ref - share, ref + share


MEASURED = [
    pytest.param(step, id=f"{code} {step.key}")
    for code, entry in templates().items()
    for step in steps_for(entry)
    if step.kind is StepKind.MEASURE
]


@pytest.mark.parametrize("step", MEASURED)
def test_every_measurement_is_judged_at_inside_and_outside_its_limit(step):
    low, high = limits(step.tolerance, step.reference)
    tolerance = Tolerance.of(step.tolerance)
    for limit, outwards in ((low, -SMALL), (high, SMALL)):
        if limit is not None:
            verdicts = [
                judge(float(limit + step_out), tolerance, step.reference)
                for step_out in (-outwards, 0, outwards)
            ]
            assert verdicts == [PASS, PASS, FAIL]
    if low is None and high is None:
        assert judge(1.0, tolerance, step.reference) is UNJUDGED


@pytest.mark.parametrize(
    ("tolerance", "value", "reference", "verdict"),
    [
        ({"type": "abs", "abs": 0.8}, 10.8, 10, PASS),
        ({"type": "rel", "rel": 0.1}, 0.33, 0.3, PASS),
        ({"type": "rel", "rel": 0.1}, -110, -100, PASS),
        ({"type": "rel", "rel": 0.1}, -111, -100, FAIL),
        ({"type": "asym_rel", "low": -0.3, "high": 0.05}, 0.7, 1, PASS),
        ({"type": "asym_rel", "low": -0.3, "high": 0.05}, 1.06, 1, FAIL),
        ({"type": "asym_rel", "low": -0.3, "high": 0.05}, 1, 0, UNJUDGED),
        ({"type": "rel", "rel": 0.2}, 5, None, UNJUDGED),
        ({"type": "manufacturer"}, 5, None, UNJUDGED),
        ({"type": "manufacturer", "low": 60}, 60, None, PASS),
        ({"type": "manufacturer", "low": 60, "high": 90}, 91, None, FAIL),
    ],
)
def test_cases_that_went_wrong_elsewhere(tolerance, value, reference, verdict):
    assert judge(value, Tolerance.of(tolerance), reference) is verdict


def test_the_parts_of_a_range_meet_without_gap_or_overlap():
    step = next(s for s in steps_for(templates()["SYRP"]) if s.key == "flow@25")
    flow = Tolerance.of(step.tolerance)
    assert [sum(r.holds(ref) for r in flow.ranges) for ref in (5, 19.9, 20, 200, 200.1, 1000)] == [
        1
    ] * 6
    assert judge(20 * 1.06, flow, 20) is FAIL, "from 20 on, 5 % holds"
    assert judge(3, flow, 3) is UNJUDGED, "below the scale there is no limit"


def test_drift_is_counted_from_the_baseline_not_the_set_point():
    drift = Tolerance.of({"type": "baseline_drift", "abs": 1.0})
    assert judge(15.0, drift, reference=100, baseline=16.0) is PASS
    assert judge(14.9, drift, reference=14.9, baseline=16.0) is FAIL
    assert judge(14.9, drift) is UNJUDGED


@pytest.mark.parametrize(
    "plain",
    [{"type": "about"}, {"type": "le"}, {"type": "by_range"}, {"type": "le", "limit": 1, "x": 2}],
    ids=["no such rule", "no limit", "no ranges", "unknown number"],
)
def test_a_broken_tolerance_is_a_bug(plain):
    with pytest.raises(ValueError, match="tolerance"):
        Tolerance.of(plain)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_only_numbers_are_judged(value):
    with pytest.raises(ValueError, match="number"):
        judge(value, Tolerance("le", limit=1))


tenths = st.integers(-10_000, 10_000).map(lambda n: n / 10)
shares = st.integers(0, 100).map(lambda n: n / 100)


@given(value=tenths, reference=tenths, size=shares, rel=shares)
def test_the_wider_rule_never_refuses_what_the_narrower_takes(value, reference, size, rel):
    narrow = [Tolerance("abs", abs=size), Tolerance("rel", rel=rel)]
    wide = [Tolerance("max_of", abs=size, rel=rel), Tolerance("sum_of", abs=size, rel=rel)]
    for inner in narrow:
        if judge(value, inner, reference) is PASS:
            assert [judge(value, outer, reference) for outer in wide] == [PASS, PASS]


@given(reference=tenths, gap=tenths, rel=shares)
def test_rules_about_a_gap_look_both_ways(reference, gap, rel):
    for rule in (Tolerance("abs", abs=abs(rel)), Tolerance("sum_of", abs=1, rel=rel)):
        up = judge(float(text(reference) + text(gap)), rule, reference)
        down = judge(float(text(reference) - text(gap)), rule, reference)
        assert up is down


def test_every_rule_is_used_or_promised():
    used = {s.tolerance["type"] for e in templates().values() for s in steps_for(e) if s.tolerance}
    assert used <= set(RULES)
    assert {"le", "ge", "between", "abs", "rel", "sum_of", "max_of", "by_range"} <= used
