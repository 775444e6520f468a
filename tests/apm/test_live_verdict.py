"""The phone judges a value while it is typed; it must say what the server will say."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from apm.procedures.tolerance import RULES, Tolerance, judge
from apm.work.schema import AnswerForm

ROOT = Path(__file__).resolve().parent.parent.parent
NODE = Path(sys.executable).parent / "node"
PROGRAM = """
import { readFileSync } from "node:fs";
const { judge } = await import(process.argv[1]);
const cases = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([rule, value, beside]) => judge(rule, value, beside))));
"""
RANGES = [
    {"from": 5, "from_inc": True, "to": 20, "to_inc": False, "rel": 0.08},
    {"from": 20, "from_inc": True, "to": 200, "to_inc": True, "rel": 0.06},
    {"from": 200, "from_inc": False, "to": 1000, "to_inc": True, "rel": 0.08},
]


def in_browser_code(cases: list[list[Any]]) -> list[str]:
    """Return what static/js/judge.js says of `[tolerance, typed text, what stands beside it]`."""
    judge_js = (ROOT / "static" / "js" / "judge.js").as_uri()
    done = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "-e", PROGRAM, judge_js],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def tolerance_of(kind: str, rng: random.Random) -> dict[str, Any]:
    """Return a tolerance as templates write them: few decimals, sometimes a bound missing."""
    plain: dict[str, Any] = {"type": kind}
    if kind in {"le", "ge"}:
        plain["limit"] = round(rng.uniform(0, 50), 1)
    if kind in {"between", "manufacturer"}:
        plain |= {"low": round(rng.uniform(0, 20), 1), "high": round(rng.uniform(20, 60), 1)}
    if kind == "asym_rel":
        plain |= {"low": -0.3, "high": 0.05}
    if kind in {"abs", "sum_of", "max_of", "baseline_drift"}:
        plain["abs"] = rng.choice([0.1, 0.3, 0.8, 3.2, 13.33])
    if kind in {"rel", "sum_of", "max_of"}:
        plain["rel"] = rng.choice([0.02, 0.04, 0.15, 0.2])
    if kind == "by_range":
        plain["ranges"] = RANGES
    return plain


@pytest.mark.parametrize("kind", sorted(RULES))
def test_the_phone_judges_as_the_server_does(kind: str) -> None:
    rng = random.Random(kind)
    cases, expected = [], []
    for _ in range(300):
        rule = tolerance_of(kind, rng)
        aim = rng.choice([None, 0.0, 5.0, 20.0, 200.0, -200.0, round(rng.uniform(0, 60), 1)])
        # Near the edges, in the tenths that binary fractions cannot hold exactly.
        edge = (aim or 0) * rng.choice([0.7, 0.8, 0.92, 0.98, 1.02, 1.05, 1.06, 1.08, 1.2])
        edge += rng.choice([-13.33, -0.8, -0.1, 0, 0.1, 0.3, 3.2])
        value = round(rng.choice([edge, rng.uniform(0, 60), *map(float, rule_bounds(rule))]), 3)
        beside = {"low": rule.get("low"), "high": rule.get("high")}
        cases.append([rule, repr(value), beside | {"reference": aim, "baseline": aim}])
        expected.append(judge(value, Tolerance.of(rule), aim, aim).value)

    assert in_browser_code(cases) == expected
    assert {"pass", "fail"} <= set(expected)


def rule_bounds(rule: dict[str, Any]) -> list[float]:
    """Return the numbers a value could meet exactly."""
    return [rule[name] for name in ("limit", "low", "high") if name in rule]


def test_a_value_exactly_at_its_edge_passes_though_binary_says_otherwise() -> None:
    rule = {"type": "abs", "abs": 0.8}

    assert 10.8 - 10 > 0.8
    assert in_browser_code([[rule, "10.8", {"reference": 10}]]) == ["pass"]


def test_people_type_decimal_commas_and_nonsense() -> None:
    rule = {"type": "le", "limit": 0.3}
    typed = ["0,3", "0,31", " .25 ", "−1", "1e-1", "", "  ", "abc", "1.2.3", ".", "0,3 ohm"]

    said = in_browser_code([[rule, text, {}] for text in typed])

    assert said == ["pass", "fail", "pass", "pass", "pass", "", "", *["notnumber"] * 4]


def test_the_maker_s_limit_may_be_typed_beside_the_value() -> None:
    rule = {"type": "manufacturer"}
    beside = [{}, {"low": "10"}, {"low": "10", "high": "10,5"}, {"high": "11"}]

    said = in_browser_code([[rule, "11", limits] for limits in beside])

    assert said == ["unjudged", "pass", "fail", "pass"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12.5", 12.5), ("12,5", 12.5), ("１２．５", 12.5), ("12。5", 12.5), ("−0,8", -0.8),
     ("1,2345", 1.2345), ("0,123", 0.123), ("1,234", None), ("12O", None), ("1 2", None)],
)  # fmt: skip
def test_phone_and_server_read_the_same_number_or_both_refuse(typed, value):
    """A value that may be two is none: the phone must not say "pass" of what will be refused."""
    rule = {"type": "between", "low": (value or 1) - 0.01, "high": (value or 1) + 0.01}

    [said] = in_browser_code([[rule, typed, {}]])

    assert said == ("pass" if value is not None else "notnumber")
    if value is None:
        with pytest.raises(ValidationError):
            AnswerForm().load({"value": typed})
    else:
        assert AnswerForm().load({"value": typed})["value"] == value
