"""Trying a draft like a work order: what was typed is judged, and no equipment is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.typed import BadNumber, number
from apm.procedures.commands import draft_of, who
from apm.procedures.documents import digest, template_of
from apm.procedures.model import GIVEN, HospitalTemplate, StepKind, Verdict
from apm.procedures.queries import confirmations, template_for_writing
from apm.procedures.shelf import confirmed
from apm.procedures.snapshot import StepFields, steps_for
from apm.procedures.tolerance import Tolerance, judge

Typed = Mapping[str, str]
"""What was typed for one step, as text: `value` or `verdict`, and `low`, `high`, `reference`."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How a test run stands: steps answered, of how many, and whether it was of this draft."""

    answered: int
    of: int
    is_current: bool
    results: dict[str, dict[str, str]]
    by: str
    at: str


def draft_steps(ctx: Context, own: HospitalTemplate) -> list[StepFields]:
    """Return the steps a work order would copy if the draft were released now."""
    codes = [own.code, *([own.based_on] if own.based_on else [])]
    template = template_of(draft_of(own), version="draft")
    return steps_for(confirmed(template, confirmations(ctx, codes), own.based_on))


@command("template.try_draft", Permission.TEMPLATE_EDIT)
def try_draft(ctx: Context, *, code: str, answers: Mapping[str, Typed]) -> Tried:
    """Judge answers by step key, and keep them with the draft: releasing asks for a test run.

    Raises:
        Conflict: there is no draft.
        Invalid: nothing was answered, or a value is no number; the fields are `KEY.value`.
    """
    own = template_for_writing(ctx, code)
    wrong: dict[str, list[object]] = {}
    results: dict[str, dict[str, str]] = {}
    for step in draft_steps(ctx, own):
        typed = {name: text.strip() for name, text in answers.get(step.key, {}).items() if text}
        if any(typed.values()):
            found = _tried(step, typed, wrong)
            if found is not None:
                results[step.key] = {**typed, "verdict": found.value}
    if wrong:
        raise Invalid(_l("Some values do not fit. Correct them and send again."), fields=wrong)
    if not results:
        raise Invalid(_l("Answer at least one step to try the draft."), code="nothing_tried")
    own.trial = {
        "by": who(ctx),
        "at": ctx.now().isoformat(),
        "content": digest(own.draft),
        "results": results,
    }
    return tried(ctx, own)


def tried(ctx: Context, own: HospitalTemplate) -> Tried:
    """Return how the last test run of a draft stands."""
    steps = draft_steps(ctx, own)
    trial: dict[str, Any] = own.trial or {"by": "", "at": "", "content": "", "results": {}}
    known = {step.key for step in steps}
    results = {key: one for key, one in trial["results"].items() if key in known}
    is_current = trial["content"] == digest(own.draft)
    return Tried(len(results), len(steps), is_current, results, trial["by"], trial["at"])


def _tried(step: StepFields, typed: Typed, wrong: dict[str, list[object]]) -> Verdict | None:
    if step.kind is StepKind.CHECK or (typed.get("verdict") == "na" and not typed.get("value")):
        if typed.get("verdict") in GIVEN:
            return Verdict(typed["verdict"])
        wrong[f"{step.key}.verdict"] = [_l("Answer with pass, fail or not applicable.")]
        return None
    numbers: dict[str, float] = {}
    for name in ("value", "low", "high", "reference"):
        if typed.get(name):
            try:
                numbers[name] = float(number(typed[name], unit=step.unit))
            except BadNumber as error:
                wrong[f"{step.key}.{name}"] = [error.message]
    if "value" not in numbers or wrong:
        return None
    return _judged(step, numbers)


def _judged(step: StepFields, numbers: Mapping[str, float]) -> Verdict:
    tolerance = dict(step.tolerance or {})
    if tolerance["type"] == "manufacturer":
        tolerance |= {end: numbers[end] for end in ("low", "high") if end in numbers}
    aim = step.reference if step.reference is not None else numbers.get("reference")
    return judge(numbers["value"], Tolerance.of(tolerance), reference=aim, baseline=aim)
