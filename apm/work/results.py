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
from apm.procedures.model import GIVEN, OnFail, StepKind, Verdict
from apm.procedures.tolerance import COMPARED, Tolerance, judge
from apm.work import causes
from apm.work.lifecycle import is_assignee
from apm.work.loading import order_to_change
from apm.work.model import Cost, WorkOrder, WorkStep
from apm.work.phone import NOT_SAID, Moment, Sent
from apm.work.refusals import only_at_work, refuse_overwriting
from apm.work.states import CostKind, WorkState


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
    base: int | None = None
    """The revision of the step this answer was based on; None overwrites whatever is there."""


@command("work_order.answer", Permission.WORK_DO)
def answer_steps(
    ctx: Context, *, no: str, answers: Mapping[str, Answer], sent: Sent = NOT_SAID
) -> WorkOrder:
    """Store answers by step key; an empty answer takes a former one back.

    Raises:
        NotFound: no such order, or no such step.
        Conflict: the work is not in progress, or somebody else answered the step meanwhile.
        NotAllowed: it is somebody else's.
        Invalid: a check was answered with a number, or a number with nothing to judge it by.
    """
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    put_answers(ctx, order, answers, sent.moment(ctx.now()))
    return order


def put_answers(
    ctx: Context, order: WorkOrder, answers: Mapping[str, Answer], moment: Moment | None = None
) -> None:
    """Judge answers by step key and write them into the order; errors as `answer_steps`."""
    for key, answer in answers.items():
        put_answer(ctx, step_of(order, key), answer, moment or NOT_SAID.moment(ctx.now()))


def step_of(order: WorkOrder, key: str) -> WorkStep:
    """Return one step of an order, or raise `NotFound`."""
    for step in order.steps:
        if step.key == key:
            return step
    raise NotFound(_l("This work order has no such step. Reload the page."))


def put_answer(ctx: Context, step: WorkStep, answer: Answer, moment: Moment) -> None:
    """Judge one answer and write it into its step."""
    if would_overwrite(ctx, step, answer, moment):
        refuse_overwriting(step, answer_now(step))
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
    step.answered_at = moment.at if is_answered else None
    step.revision += 1
    step.changed_by, step.device = ctx.actor.name, moment.device
    step.device_at, step.received_at = moment.device_at, moment.received_at
    step.clock_ahead_s = moment.ahead_s


def would_overwrite(ctx: Context, step: WorkStep, answer: Answer, moment: Moment) -> bool:
    """Tell whether somebody else, or another phone, changed the answer this one was based on."""
    if answer.base is None or answer.base == step.revision:
        return False
    if (step.changed_by, step.device) == (ctx.actor.name, moment.device):
        return False
    is_same = (step.value, step.note) == (answer.value, answer.note)
    return not (is_same and answer.verdict in {None, step.verdict})


def answer_now(step: WorkStep) -> dict[str, str]:
    """Return what a step holds, as texts: to be shown beside another answer."""
    return {
        "value": "" if step.value is None else f"{step.value:.15g}",
        "verdict": step.verdict.value if step.verdict else "",
        "note": step.note or "",
        "by": step.changed_by or "",
        "at": step.answered_at.isoformat() if step.answered_at else "",
        "revision": str(step.revision),
    }


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
    only_at_work(ctx, order)
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
    """Return the steps that failed and call for a repair."""
    failed = [step for step in order.steps if step.verdict is Verdict.FAIL]
    return [step for step in failed if step.on_fail != OnFail.NOTE]


def missing_steps(order: WorkOrder) -> list[WorkStep]:
    """Return the mandatory steps without a verdict; one nobody has judged counts as missing."""
    unanswered: set[Any] = {None, Verdict.UNJUDGED}
    return [step for step in order.steps if step.mandatory and step.verdict in unanswered]


def unpictured_steps(order: WorkOrder) -> list[WorkStep]:
    """Return the steps that were done and need a photo they do not have."""
    shown = {photo.step_key for photo in order.photos}
    done = {Verdict.PASS, Verdict.FAIL}
    return [s for s in order.steps if s.needs_photo and s.verdict in done and s.key not in shown]
