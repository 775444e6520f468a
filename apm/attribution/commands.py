"""Keeping what the evidence says, and deciding what it was: only a person does that."""

from __future__ import annotations

from apm.attribution.finding import failure_of
from apm.attribution.model import Attribution, CauseDecision
from apm.attribution.proposing import assess, kept
from apm.attribution.queries import CODES, agrees, attribution_of
from apm.attribution.wording import cause_word
from apm.core.chances import chance
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotAllowed
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.work.addenda import SIGNED
from apm.work.causes import cause as failure_code
from apm.work.field_model import Addendum
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from predict.cause_table import Cause


@command("cause.collect", Permission.SYSTEM_RUN)
def collect_evidence(ctx: Context, *, no: str) -> Attribution:
    """Keep what the evidence says of a repair now; of a closed one, freeze it."""
    return _kept(ctx, order_to_change(ctx, no))


def _kept(ctx: Context, order: WorkOrder) -> Attribution:
    failure = failure_of(order)
    row = attribution_of(ctx, order)
    if row is not None and row.frozen_at is not None:
        return row
    columns = {
        **kept(assess(ctx, failure)),
        "failed_at": failure.at,
        "asset_id": failure.asset.id,
        "computed_at": ctx.now(),
        "frozen_at": ctx.now() if order.state is WorkState.CLOSED else None,
    }
    if row is None:
        row = Attribution(work_order_id=order.id, **columns)
        ctx.session.add(row)
    else:
        for name, value in columns.items():
            setattr(row, name, value)
    ctx.session.flush()
    return row


@command("cause.confirm", Permission.CAUSE_CONFIRM)
def confirm_cause(
    ctx: Context, *, no: str, cause: Cause, reason: str | None = None, code: str | None = None
) -> CauseDecision:
    """Say what a failure came from: what is proposed, or something else and why.

    While the record is open its failure code follows; once it is signed, the decision becomes an
    addendum below it.

    Raises:
        NotFound: no such order here, or no repair of equipment.
        NotAllowed: a program.
        Conflict: the order is cancelled: nothing was repaired.
        Invalid: another cause than the proposed one without a reason, or a code that
            contradicts the cause.
    """
    if ctx.actor.user_id is None:
        raise NotAllowed(
            _l("A program cannot decide this. Sign in as a person and confirm it on its page."),
            code="needs_person",
        )
    order = order_to_change(ctx, no)
    if order.state is WorkState.CANCELLED:
        raise Conflict(_l("The work order is cancelled. There is no cause to confirm."))
    row = _kept(ctx, order)
    why = (reason or "").strip() or None
    if cause is not row.proposed and why is None:
        message = _l("This differs from the proposal. Say what you saw.")
        raise Invalid(message, fields={"reason": [message]})
    is_addendum = order.state in SIGNED
    decision = CauseDecision(
        work_order_id=order.id,
        cause=cause,
        code=_code(order, cause, code),
        reason=why,
        proposed=row.proposed,
        probability=row.probability,
        table_version=row.table_version,
        is_addendum=is_addendum,
        decided_by=ctx.actor.name,
        user_id=ctx.actor.user_id,
        decided_at=ctx.now(),
    )
    ctx.session.add(decision)
    if is_addendum:
        _add_below(ctx, order, decision)
    elif decision.code:
        order.cause_code = decision.code
    if row.confirmed_cause is None:
        row.said_at_once, row.said_with = row.proposed, row.probability
    row.confirmed_cause, row.confirmed_at = cause, ctx.now()
    row.confirmed_by = ctx.actor.name
    ctx.session.flush()
    return decision


def _code(order: WorkOrder, cause: Cause, wanted: str | None) -> str | None:
    """Return the failure code that goes with a cause: the one named, the order's, the usual."""
    if wanted:
        code = failure_code(wanted).code
        if not agrees(code, cause):
            message = _l("This failure code says something else than the cause. Choose another.")
            raise Invalid(message, fields={"code": [message]})
        return code
    return order.cause_code if agrees(order.cause_code, cause) else CODES.get(cause)


def _add_below(ctx: Context, order: WorkOrder, decision: CauseDecision) -> None:
    said = _(
        "Cause of the failure: %(cause)s (proposed: %(proposed)s, %(chance)s).",
        cause=cause_word(decision.cause),
        proposed=cause_word(decision.proposed),
        chance=chance(decision.probability),
    )
    ctx.session.add(
        Addendum(
            work_order_id=order.id,
            user_id=ctx.actor.user_id,
            author=ctx.actor.name,
            text=f"{said} {decision.reason or ''}".strip(),
            at=ctx.now(),
        )
    )
