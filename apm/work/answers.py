"""Reading the answers of a checklist from a form: inputs are named by the step's number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from werkzeug.datastructures import MultiDict

from apm.core.command import Context
from apm.core.http import load
from apm.procedures.model import StepKind
from apm.work.model import WorkOrder, WorkStep
from apm.work.phone import NOT_SAID
from apm.work.results import Answer, would_overwrite
from apm.work.schema import AnswerForm


def read_answers(
    steps: Iterable[WorkStep], typed: MultiDict[str, str]
) -> tuple[dict[str, Answer], dict[str, list[str]]]:
    """Return the answers by step key, and the errors by input name.

    Only steps named by a `step` input count.
    """
    answers: dict[str, Answer] = {}
    errors: dict[str, list[str]] = {}
    asked = set(typed.getlist("step"))
    for step in steps:
        if step.key not in asked:
            continue
        form = load(AnswerForm(), _fields(step, typed))
        if form.data is None:
            for field, texts in form.errors.items():
                errors[_input(step, field)] = texts
        else:
            answers[step.key] = Answer(**form.data)
    return answers, errors


def overwritten(ctx: Context, order: WorkOrder, answers: Mapping[str, Answer]) -> list[WorkStep]:
    """Return the steps whose answer somebody else changed since the page was opened."""
    now = NOT_SAID.moment(ctx.now())
    return [
        step
        for step in order.steps
        if step.key in answers and would_overwrite(ctx, step, answers[step.key], now)
    ]


def _fields(step: WorkStep, typed: Mapping[str, str]) -> dict[str, str]:
    names = ("value", "verdict", "note", "low", "high", "reference", "base")
    return {name: typed.get(_input(step, name), "") for name in names}


def _input(step: WorkStep, field: str) -> str:
    """Return the name of an input; the plain one is the answer itself."""
    is_main = field == ("verdict" if step.kind is StepKind.CHECK else "value")
    return f"s{step.id}" if is_main else f"s{step.id}_{field}"
