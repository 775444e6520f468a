"""Answering the steps of a work order: judged here, whatever the page already said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apm.accounts.queries import own_hospital
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.procedures.model import StepKind, Verdict
from apm.procedures.tolerance import COMPARED, Tolerance, judge
from apm.work import causes
from apm.work.lifecycle import is_assignee
from apm.work.loading import order_to_change
from apm.work.model import Cost, WorkOrder, WorkStep
from apm.work.states import CostKind, WorkState

GIVEN = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE})
"""The verdicts a person may give."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says to one step.

    `low` and `high` are the maker's limits, for a tolerance that leaves them to the maker;
    `reference` is what the device shows, where the template names no set point.
    """

    value: float | None = None
    verdict: Verdict | None = None
    note: str | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None


@command("work_order.answer", Permission.WORK_DO)
def answer_steps(ctx: Context, *, no: str, answers: Mapping[str, Answer]) -> WorkOrder:
    """Store answers by step key; an empty answer takes a former one back.

    Raises:
        NotFound: no such order, or no such step.
        Conflict: the work is not in progress.
        NotAllowed: it is somebody else's.
        Invalid: a check was answered with a number, or a number with nothing to judge it by.
    """
    order = order_to_change(ctx, no)
    _only_at_work(ctx, order)
    steps = {step.key: step for step in order.steps}
    for key, answer in answers.items():
        if key not in steps:
            raise NotFound(_l("This work order has no such step. Reload the page."))
        _answer(ctx, steps[key], answer)
    return order


def _only_at_work(ctx: Context, order: WorkOrder) -> None:
    if order.state is not WorkState.IN_PROGRESS:
        raise Conflict(
            _l("Answers are taken only while the work is in progress. Start or resume it first."),
            code="not_now",
        )
    if not is_assignee(ctx.actor, order):
        raise NotAllowed(_l("This work order is somebody else's. Ask an engineer."))


def _answer(ctx: Context, step: WorkStep, answer: Answer) -> None:
    if step.kind is StepKind.CHECK:
        if answer.value is not None:
            raise _bad(step, _l("This step is answered with pass, fail or not applicable."))
        verdict = answer.verdict
    else:
        _take_limits(step, answer)
        verdict = _judged(step, answer)
    if (step.value, step.verdict, step.note) == (answer.value, verdict, answer.note):
        return
    step.value, step.verdict, step.note = answer.value, verdict, answer.note
    is_answered = verdict is not None or answer.note is not None
    step.answered_by = ctx.actor.name if is_answered else None
    step.answered_at = ctx.now() if is_answered else None


def _take_limits(step: WorkStep, answer: Answer) -> None:
    tolerance = step.tolerance or {}
    if tolerance["type"] == "manufacturer":
        ends = {"low": answer.low, "high": answer.high}
        step.tolerance = {
            "type": "manufacturer",
            **{end: limit for end, limit in ends.items() if limit is not None},
        }
    elif takes_reference(step) and answer.reference is not None:
        step.reference = answer.reference


def takes_reference(step: WorkStep) -> bool:
    """Tell whether the tester reads off what the value is compared with (`ctdi@head`)."""
    return (
        (step.tolerance or {}).get("type") in COMPARED
        and "@" in step.key
        and (not _is_number(step.key.partition("@")[2]))
    )


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def _judged(step: WorkStep, answer: Answer) -> Verdict | None:
    if answer.value is None:
        if answer.verdict in {None, Verdict.NOT_APPLICABLE}:
            return answer.verdict
        raise _bad(step, _l("Give the measured value."))
    verdict = _by_limit(step, answer.value)
    is_left_to_people = verdict is Verdict.UNJUDGED and answer.verdict in GIVEN
    return answer.verdict if is_left_to_people else verdict


def _by_limit(step: WorkStep, value: float) -> Verdict:
    limit = Tolerance.of(step.tolerance or {})
    return judge(value, limit, reference=step.reference, baseline=step.reference)


def verdict_of_person(step: WorkStep) -> Verdict | None:
    """Return the verdict somebody gave; None where the limit decided, or nobody has."""
    by_limit = step.value is not None and _by_limit(step, step.value)
    return None if by_limit in {Verdict.PASS, Verdict.FAIL} else step.verdict


def _bad(step: WorkStep, message: object) -> Invalid:
    return Invalid(message, fields={step.key: [message]})


@command("work_order.record", Permission.WORK_DO)
def record_work(
    ctx: Context,
    *,
    no: str,
    labour_minutes: int | None = None,
    cause: str | None = None,
    remedy: str | None = None,
) -> WorkOrder:
    """Note time, cause and remedy on the way; completing asks for them again."""
    order = order_to_change(ctx, no)
    _only_at_work(ctx, order)
    put_findings(order, labour_minutes=labour_minutes, cause=cause, remedy=remedy)
    return order


def put_findings(
    order: WorkOrder, *, labour_minutes: int | None, cause: str | None, remedy: str | None
) -> None:
    """Write what is given into the order, leaving the rest."""
    if labour_minutes is not None:
        order.labour_minutes = labour_minutes
    if cause:
        order.cause_code = causes.cause(cause).code
    if remedy:
        order.remedy = remedy.strip()


@command("work_order.add_cost", Permission.WORK_READ)
def add_cost(
    ctx: Context, *, no: str, kind: CostKind, amount: int, note: str | None = None
) -> WorkOrder:
    """Note money spent, in fen; the assignee or who assigns work may, until it is closed."""
    order = order_to_change(ctx, no)
    if not (is_assignee(ctx.actor, order) or ctx.actor.can(Permission.WORK_ASSIGN)):
        raise NotAllowed(_l("This work order is somebody else's. Ask an engineer."))
    if order.state in {WorkState.CLOSED, WorkState.CANCELLED}:
        raise Conflict(_l("A closed work order cannot be changed."), code="not_now")
    if amount <= 0:
        message = _l("Give an amount above zero.")
        raise Invalid(message, fields={"amount": [message]})
    hospital = own_hospital(ctx)
    currency = hospital.currency if hospital else "CNY"
    ctx.session.add(
        Cost(work_order_id=order.id, kind=kind, amount=amount, currency=currency, note=note)
    )
    return order


def failed_steps(order: WorkOrder) -> list[WorkStep]:
    """Return the steps that failed."""
    return [step for step in order.steps if step.verdict is Verdict.FAIL]


def missing_steps(order: WorkOrder) -> list[WorkStep]:
    """Return the mandatory steps without a verdict; one nobody has judged counts as missing."""
    unanswered: set[Any] = {None, Verdict.UNJUDGED}
    return [step for step in order.steps if step.mandatory and step.verdict in unanswered]
