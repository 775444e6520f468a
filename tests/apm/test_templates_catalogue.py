"""The shipped limits are the researched ones.

`expected_limits.txt` was made from the research notes, not from `seed/templates.yaml`: a slip of
the pen in one of the two is found.  Each block is `[CODE months checks parts]`, then a line a
measurement: id, unit, set points, rule with its numbers, how far the source is to be trusted.
"""

from pathlib import Path

import pytest
import yaml

from apm.core.i18n import speaking
from apm.procedures.catalogue import FILE, templates
from apm.procedures.model import Section, StepKind, Trust
from apm.procedures.snapshot import steps_for
from apm.procedures.tolerance import RULES
from apm.procedures.words import tool_name

LINES = (Path(__file__).parent / "expected_limits.txt").read_text().splitlines()


def blocks():
    found = {}
    for line in LINES:
        if line.startswith("["):
            code, *numbers = line.strip("[]").split()
            found[code] = (numbers, [])
        else:
            found[code][1].append(line)
    return found


EXPECTED = blocks()


def rule_text(tolerance):
    if tolerance["type"] == "by_range":
        ranges = [f"{r['from']}-{r['to']}:{r['rel']}" for r in tolerance["ranges"]]
        return " ".join(["by_range", *ranges])
    names = [n for n in ("limit", "low", "high", "abs", "rel") if n in tolerance]
    return " ".join([tolerance["type"], *(f"{n}={tolerance[n]:g}" for n in names)])


def line_of(step):
    points = "; ".join(map(str, step.at))
    rule = rule_text(step.tolerance)
    return f"{step.id} | {step.unit} | {points} | {rule} | {step.source.trust.value}"


def of(entry, section, kind):
    return [s for s in entry.steps if s.section is section and s.kind is kind]


def test_there_are_13_categories_and_mri():
    assert list(templates()) == [code for code in EXPECTED if code != "safety"]
    assert len(templates()) == 14


@pytest.mark.parametrize("code", sorted(templates()))
def test_each_template_is_the_researched_one(code):
    entry, ([months, checks, parts], measurements) = templates()[code], EXPECTED[code]
    assert entry.interval_months == int(months)
    assert len(of(entry, Section.FUNCTION, StepKind.CHECK)) == int(checks)
    assert len(entry.parts) == int(parts)
    assert len(of(entry, Section.GENERAL, StepKind.CHECK)) == 8
    assert [line_of(s) for s in of(entry, Section.MEASUREMENT, StepKind.MEASURE)] == measurements


def test_the_electrical_tests_are_the_researched_ones():
    found = {
        line_of(s) for t in templates().values() for s in of(t, Section.SAFETY, StepKind.MEASURE)
    }
    assert found <= set(EXPECTED["safety"][1])
    in_file = [step["id"] for step in yaml.safe_load(FILE.read_text())["safety"]]
    assert in_file == [line.split(" | ")[0] for line in EXPECTED["safety"][1]]


def test_there_are_118_measurements_of_which_50_are_from_memory():
    trust = [
        step.source.trust
        for entry in templates().values()
        for step in of(entry, Section.MEASUREMENT, StepKind.MEASURE)
    ]
    assert len(trust) == 118
    assert [trust.count(t) for t in (Trust.SEEN, Trust.RECALLED, Trust.POLICY)] == [57, 50, 11]


def test_what_is_from_memory_and_nothing_else_says_verify():
    for entry in templates().values():
        recalled = {s.id for s in entry.steps if s.source and s.source.trust is Trust.RECALLED}
        flagged = {s.key.split("@")[0] for s in steps_for(entry) if s.to_verify}
        assert flagged == recalled


def test_every_limit_can_be_read_as_a_rule_with_a_source():
    for entry in templates().values():
        for step in entry.steps:
            if step.kind is StepKind.MEASURE:
                assert step.limit is not None
                assert step.limit.type in RULES
                assert step.source.title
                assert step.unit


def test_every_tool_of_the_shipped_templates_has_a_chinese_name():
    tools = {tool for template in templates().values() for tool in template.tools}
    with speaking("zh"):
        assert [tool for tool in sorted(tools) if tool_name(tool) == tool] == []
