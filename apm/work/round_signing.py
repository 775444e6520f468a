"""Signing the simple devices of a round: one password, and each order for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from apm.core.command import Context, command
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.i18n import _l, choose
from apm.core.permissions import Permission
from apm.procedures.model import StepKind, Verdict
from apm.work.completion import Completion, close_as, complete_as, is_signed_already
from apm.work.loading import expect_version, order_to_change
from apm.work.model import WorkOrder, WorkStep
from apm.work.moving import move_work
from apm.work.refusals import only_assignee, only_at_work
from apm.work.results import Answer, answer_steps, missing_steps
from apm.work.rounds import why_alone, why_approved_alone
from apm.work.signing import Signer
from apm.work.states import WorkState


@dataclass(frozen=True, slots=True)
class Passed:
    """What a sheet says of one device on which all was as expected."""

    measured: Mapping[str, Answer]
    """By step key."""
    said: Completion
    version: int | None = None


@command("work_order.pass_in_round", Permission.WORK_DO)
def pass_device(ctx: Context, *, no: str, signer: Signer, passed: Passed) -> WorkOrder:
    """Start a simple order if need be, pass every open check, and complete it: all or nothing.

    Raises:
        NotFound: no such order here.
        Conflict: it is not simple, not to be worked on now, or changed since it was shown.
        NotAllowed: it is somebody else's.
        Invalid: a value is out of tolerance or missing, or what completing asks for.
    """
    order = order_to_change(ctx, no)
    if is_signed_already(order, signer):
        return order
    is_to_start = order.state is WorkState.ASSIGNED
    (only_assignee if is_to_start else only_at_work)(ctx, order)
    expect_version(order.version, passed.version)
    if reason := why_alone(order):
        raise Conflict(reason, code="not_simple")
    answers = {step.key: Answer(verdict=Verdict.PASS) for step in open_checks(order)}
    for key, answer in passed.measured.items():  # where no limit decides, who passes it does
        answers[key] = replace(answer, verdict=Verdict.PASS)
    if is_to_start:
        move_work(ctx, no=no, action="start")
    _refuse_failed(answer_steps(ctx, no=no, answers=answers))
    return complete_as(ctx, no=no, signer=signer, said=passed.said, version=None)


def open_checks(order: WorkOrder) -> list[WorkStep]:
    """Return the mandatory checks that nobody has answered yet: what "pass" answers."""
    return [step for step in missing_steps(order) if step.kind is StepKind.CHECK]


def _refuse_failed(order: WorkOrder) -> None:
    failed = [step for step in order.steps if step.verdict is Verdict.FAIL]
    if failed:
        names = "; ".join(choose(step.text, step.text_zh) for step in failed)
        raise Invalid(
            _l(
                "Out of tolerance: %(names)s. Record it on its own page, with a repair.",
                names=names,
            ),
            code="out_of_tolerance",
        )


@command("work_order.approve_in_round", Permission.WORK_CLOSE)
def approve_device(
    ctx: Context, *, no: str, signer: Signer, version: int | None = None
) -> WorkOrder:
    """Close a done order of a simple device; errors as `completion.close`, and `not_simple`."""
    order = order_to_change(ctx, no)
    if is_signed_already(order, signer):
        return order
    if reason := why_approved_alone(order):
        raise Conflict(reason, code="not_simple")
    return close_as(ctx, no=no, signer=signer, version=version)


def each(nos: Iterable[str], sign: Callable[[str], object]) -> dict[str, str | None]:
    """Sign one order after another; return why each was refused, None for those signed.

    Every order is a transaction of its own: a refusal leaves the others as they are.
    """
    told: dict[str, str | None] = {}
    for no in nos:
        try:
            sign(no)
        except DomainError as refusal:
            told[no] = _in_full(refusal)
        else:
            told[no] = None
    return told


def _in_full(refusal: DomainError) -> str:
    """Return a refusal with everything it names: there are no fields here to say it beside."""
    texts = [str(refusal)]
    if isinstance(refusal, Invalid):
        texts += [str(text) for named in refusal.fields.values() for text in named]
    return " ".join(dict.fromkeys(texts))
