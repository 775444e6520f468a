"""Two answers to one step, side by side: somebody sees both and chooses; both are kept."""

from __future__ import annotations

from dataclasses import asdict

from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.work.field_model import AnswerChoice
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.phone import NOT_SAID, Sent
from apm.work.refusals import only_at_work, refuse_overwriting
from apm.work.results import Answer, answer_now, put_answer, step_of

MINE, THEIRS = "mine", "theirs"


@command("work_order.choose", Permission.WORK_DO)
def choose_answer(
    ctx: Context, *, no: str, step: str, chosen: str, mine: Answer, sent: Sent = NOT_SAID
) -> WorkOrder:
    """Let one of two answers count, and write down which other there was.

    `mine.base` is the revision of the answer that was shown beside it.

    Raises:
        NotFound: no such order or step.
        Conflict: not in progress, or the other answer has changed once more.
        NotAllowed: it is somebody else's.
        Invalid: my answer fits no step of this kind.
    """
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    found = step_of(order, step)
    theirs = answer_now(found)
    if found.revision != mine.base:
        refuse_overwriting(found, theirs)
    ctx.session.add(
        AnswerChoice(
            work_order_id=order.id,
            step_key=found.key,
            chosen=chosen,
            mine={name: value for name, value in asdict(mine).items() if value is not None},
            theirs=theirs,
            chosen_by=ctx.actor.name,
            at=ctx.now(),
        )
    )
    if chosen == MINE:
        put_answer(ctx, found, mine, sent.moment(ctx.now()))
    return order
