"""Finishing work under one's name: the signature, and what it asks for first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, timedelta

from apm.accounts.commands import confirm_identity
from apm.accounts.model import User
from apm.assets.commands import set_availability
from apm.assets.model import Availability
from apm.core.command import Context, command
from apm.core.errors import Invalid, NotAllowed
from apm.core.i18n import _l
from apm.core.limits import limit
from apm.core.permissions import Permission
from apm.work.lifecycle import WORK
from apm.work.loading import order_to_change
from apm.work.model import Signature, WorkOrder
from apm.work.moving import announce, put_back_in_use
from apm.work.opening import NewWork, make_order
from apm.work.results import failed_steps, missing_steps, put_findings
from apm.work.states import Priority, WorkType

PERFORMED, APPROVED = "performed", "approved"
MOST_TRIES, WITHIN = 30, timedelta(minutes=15)
TITLE_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Completion:
    """What is said when work is done.  `has_follow_up`: open a repair for what failed."""

    labour_minutes: int | None = None
    cause: str | None = None
    remedy: str | None = None
    has_follow_up: bool = False


def complete(
    ctx: Context,
    *,
    no: str,
    password: str | None,
    said: Completion | None = None,
    version: int | None = None,
) -> WorkOrder:
    """Sign that the work is performed.

    Raises:
        NotAllowed: a program, or not the assignee.
        Invalid: wrong password, open steps, no cause or remedy of a repair, or failed steps
            without a follow-up.
        Conflict: not in progress, or changed since `version`.
    """
    signer = _signer(ctx, password)
    return _complete(ctx, no=no, signer=signer, said=said or Completion(), version=version)


def close(ctx: Context, *, no: str, password: str | None, version: int | None = None) -> WorkOrder:
    """Sign that the work is approved; nothing of the order changes after that.

    Raises:
        NotAllowed: a program, no right to close, or on high-risk equipment whoever did the work.
        Invalid: wrong password.
        Conflict: not done yet, or changed since `version`.
    """
    return _close(ctx, no=no, signer=_signer(ctx, password), version=version)


def _signer(ctx: Context, password: str | None) -> User:
    """Check the password before the command, so that hashing holds no lock on the database."""
    if ctx.actor.user_id is None:
        raise NotAllowed(
            _l("A program cannot sign. Sign in as a person and complete the work on its page."),
            code="needs_person",
        )
    if not password:
        message = _l("Enter your password: it is your signature.")
        raise Invalid(message, fields={"password": [message]})
    limit(ctx, f"sign:{ctx.actor.user_id}", most=MOST_TRIES, within=WITHIN)
    return confirm_identity(ctx, password=password)


@command("work_order.complete", Permission.WORK_DO)
def _complete(
    ctx: Context, *, no: str, signer: User, said: Completion, version: int | None
) -> WorkOrder:
    """Put an order that is ready for it to done, under the signature of who performed it."""
    order = order_to_change(ctx, no, version)
    step = WORK.take("complete", order.state, ctx.actor, order)
    put_findings(order, labour_minutes=said.labour_minutes, cause=said.cause, remedy=said.remedy)
    _refuse_unfinished(order, said)
    order.state = step.target
    order.done_at, order.done_by = ctx.now(), signer.id
    if not order.high_risk:  # a ventilator is used again when a second person has approved it
        put_back_in_use(ctx, order)
    if failed_steps(order):
        _follow_up(ctx, order)
    _sign(ctx, order, signer, PERFORMED)
    announce(ctx, order, "complete")
    return order


@command("work_order.close", Permission.WORK_CLOSE)
def _close(ctx: Context, *, no: str, signer: User, version: int | None) -> WorkOrder:
    """Close an order that is done, under the signature of who approves it."""
    order = order_to_change(ctx, no, version)
    step = WORK.take("close", order.state, ctx.actor, order)
    order.state = step.target
    order.closed_at, order.closed_by = ctx.now(), signer.id
    put_back_in_use(ctx, order)
    _sign(ctx, order, signer, APPROVED)
    announce(ctx, order, "close")
    return order


def _refuse_unfinished(order: WorkOrder, said: Completion) -> None:
    wrong: dict[str, list[object]] = {}
    if missing := missing_steps(order):
        wrong["steps"] = [
            _l("%(n)s mandatory steps have no answer yet.", n=len(missing)),
        ]
    if order.type is WorkType.CORRECTIVE:
        if not order.cause_code:
            wrong["cause"] = [_l("Choose the cause of the fault.")]
        if not order.remedy:
            wrong["remedy"] = [_l("Say what was done.")]
    if failed_steps(order) and not said.has_follow_up:
        wrong["follow_up"] = [_l("Steps have failed. Open a repair for them to complete this.")]
    if wrong:
        raise Invalid(_l("The work cannot be completed yet."), fields=wrong, code="unfinished")


def _follow_up(ctx: Context, order: WorkOrder) -> None:
    """Open one repair for everything that failed, and limit the use of the asset until then."""
    failed = failed_steps(order)
    work = NewWork(
        type=WorkType.CORRECTIVE,
        title=f"Failed: {'; '.join(step.text for step in failed)}"[:TITLE_LENGTH],
        title_zh=f"不合格：{'；'.join(step.text_zh for step in failed)}"[:TITLE_LENGTH],
        asset=order.asset,
        location=order.location,
        priority=Priority.URGENT if order.high_risk else Priority.HIGH,
        origin=f"failed:{order.no}",
    )
    repair = make_order(ctx, work)
    if order.asset is None:
        return
    availability = Availability.DOWN if order.high_risk else Availability.PARTIAL
    set_availability(order.asset, availability)
    if availability is Availability.DOWN:
        repair.down_from = ctx.now()


def _sign(ctx: Context, order: WorkOrder, signer: User, meaning: str) -> None:
    ctx.session.flush()  # what is signed is what is stored
    signature = Signature(
        work_order_id=order.id,
        user_id=signer.id,
        name=signer.name,
        meaning=meaning,
        at=ctx.now(),
        record_hash=record_hash(order),
    )
    ctx.session.add(signature)


def record_hash(order: WorkOrder) -> str:
    """Return the SHA-256 of an order (steps and costs loaded) as it is signed.

    What changes after the first signature without touching the record, its state and version,
    stays out, so that both signatures can be checked against the same record.
    """
    record = {
        "no": order.no,
        "type": order.type.value,
        "asset": order.asset_id,
        "location": order.location_id,
        "cause": order.cause_code,
        "remedy": order.remedy,
        "labour_minutes": order.labour_minutes,
        "done_by": order.done_by,
        "done_at": order.done_at.astimezone(UTC).isoformat() if order.done_at else None,
        "steps": [
            [s.key, s.value, s.verdict.value if s.verdict else None, s.note, s.tolerance]
            for s in order.steps
        ],
        "costs": [[c.kind.value, c.amount, c.currency] for c in order.costs],
    }
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_intact(order: WorkOrder) -> bool:
    """Tell whether the record still is what the last signature stands under."""
    return not order.signatures or order.signatures[-1].record_hash == record_hash(order)
