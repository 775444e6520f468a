"""Finishing work under one's name: the signature, and what it asks for first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from apm.assets.commands import set_availability
from apm.assets.model import Availability
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.registry import Hooks
from apm.procedures.model import OnFail
from apm.work.evidence import asks_as_found
from apm.work.lifecycle import WORK
from apm.work.loading import order_to_change
from apm.work.model import Signature, WorkOrder
from apm.work.moving import announce, put_back_in_use
from apm.work.opening import NewWork, make_order
from apm.work.results import failed_steps, missing_steps, put_findings, unpictured_steps
from apm.work.signing import BY_PASSWORD, Hand, Signer, signer_of
from apm.work.states import AsFound, Priority, WorkType

PERFORMED, APPROVED = "performed", "approved"
TITLE_LENGTH = 160
Guard = Callable[[Context, WorkOrder], None]
_GUARDS: Hooks[Guard] = Hooks("guards of completion")


def before_completion(guard: Guard) -> Guard:
    """Let a later feature object: the guard raises while, say, an instrument is out of date."""
    _GUARDS.add(guard)
    return guard


@dataclass(frozen=True, slots=True)
class Completion:
    """What is said when work is done.

    has_follow_up: open a repair for what failed.  as_found: asked where a forecast led to it.
    """

    labour_minutes: int | None = None
    cause: str | None = None
    remedy: str | None = None
    has_follow_up: bool = False
    as_found: AsFound | None = None


def complete(
    ctx: Context,
    *,
    no: str,
    password: str | None,
    said: Completion | None = None,
    version: int | None = None,
    hand: Hand = BY_PASSWORD,
) -> WorkOrder:
    """Sign that the work is performed, by password or by hand (see `signing`).

    Raises:
        NotAllowed: a program, or not the assignee.
        Invalid: wrong password, open steps, no cause or remedy of a repair, or failed steps
            without a follow-up.
        Conflict: not in progress, or changed since `version`.
    """
    signer = signer_of(ctx, password, hand)
    return complete_as(ctx, no=no, signer=signer, said=said or Completion(), version=version)


def close(
    ctx: Context,
    *,
    no: str,
    password: str | None,
    version: int | None = None,
    hand: Hand = BY_PASSWORD,
) -> WorkOrder:
    """Sign that the work is approved; nothing of the order changes after that.

    Raises:
        NotAllowed: a program, no right to close, or on high-risk equipment whoever did the work.
        Invalid: wrong password.
        Conflict: not done yet, or changed since `version`.
    """
    return close_as(ctx, no=no, signer=signer_of(ctx, password, hand), version=version)


@command("work_order.complete", Permission.WORK_DO)
def complete_as(
    ctx: Context, *, no: str, signer: Signer, said: Completion, version: int | None
) -> WorkOrder:
    """Put an order that is ready for it to done, under a signature that has been checked."""
    order = order_to_change(ctx, no, version)
    if is_signed_already(order, signer):
        return order
    put_to_done(ctx, order, said)
    order.done_by = signer.user.id
    _sign(ctx, order, signer, PERFORMED)
    announce(ctx, order, "complete")
    return order


def put_to_done(ctx: Context, order: WorkOrder, said: Completion) -> None:
    """Put an order that is ready for it to done; who did it is for the caller to write down."""
    step = WORK.take("complete", order.state, ctx.actor, order)
    put_findings(order, labour_minutes=said.labour_minutes, cause=said.cause, remedy=said.remedy)
    if asks_as_found(order) and said.as_found:
        order.as_found = said.as_found
    _refuse_unfinished(order, said)
    for guard in _GUARDS:
        guard(ctx, order)
    order.state = step.target
    order.done_at = ctx.now()
    if not order.high_risk:  # a ventilator is used again when a second person has approved it
        put_back_in_use(ctx, order)
    if failed_steps(order):
        _follow_up(ctx, order)


@command("work_order.close", Permission.WORK_CLOSE)
def close_as(ctx: Context, *, no: str, signer: Signer, version: int | None) -> WorkOrder:
    """Close an order that is done, under a signature that has been checked."""
    order = order_to_change(ctx, no, version)
    if is_signed_already(order, signer):
        return order
    step = WORK.take("close", order.state, ctx.actor, order)
    order.state = step.target
    order.closed_at, order.closed_by = ctx.now(), signer.user.id
    put_back_in_use(ctx, order)
    _sign(ctx, order, signer, APPROVED)
    announce(ctx, order, "close")
    return order


def is_signed_already(order: WorkOrder, signer: Signer) -> bool:
    """Tell whether this very signature has come before: its sender did not hear of it."""
    keys = {(known.user_id, known.once) for known in order.signatures if known.once}
    return (signer.user.id, signer.once) in keys


def _refuse_unfinished(order: WorkOrder, said: Completion) -> None:
    wrong: dict[str, list[object]] = {}
    if missing := missing_steps(order):
        wrong["steps"] = [
            _l("%(n)s mandatory steps have no answer yet.", n=len(missing)),
        ]
    if without := unpictured_steps(order):
        wrong["photos"] = [
            _l("These steps need a photo: %(names)s.", names=", ".join(s.key for s in without))
        ]
    if order.type is WorkType.CORRECTIVE:
        wrong.update(_unsaid_of_repair(order))
    if asks_as_found(order) and not order.as_found:
        wrong["as_found"] = [_l("Say in what condition the equipment was found.")]
    if failed_steps(order) and not said.has_follow_up:
        wrong["follow_up"] = [_l("Steps have failed. Open a repair for them to complete this.")]
    if wrong:
        raise Invalid(_l("The work cannot be completed yet."), fields=wrong, code="unfinished")


def _unsaid_of_repair(order: WorkOrder) -> dict[str, list[object]]:
    wrong: dict[str, list[object]] = {}
    if not order.cause_code:
        wrong["cause"] = [_l("Choose the cause of the fault.")]
    if not order.remedy:
        wrong["remedy"] = [_l("Say what was done.")]
    return wrong


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
    is_unsafe = order.high_risk or any(step.on_fail == OnFail.STOP for step in failed)
    availability = Availability.DOWN if is_unsafe else Availability.PARTIAL
    set_availability(order.asset, availability)
    if availability is Availability.DOWN:
        repair.down_from = ctx.now()


def _sign(ctx: Context, order: WorkOrder, signer: Signer, meaning: str) -> None:
    ctx.session.flush()  # what is signed is what is stored
    signature = Signature(
        work_order_id=order.id,
        user_id=signer.user.id,
        name=signer.user.name,
        meaning=meaning,
        at=ctx.now(),
        record_hash=record_hash(order),
        method=signer.method,
        drawn=signer.drawn,
        once=signer.once,
    )
    ctx.session.add(signature)


def record_hash(order: WorkOrder) -> str:
    """Return the SHA-256 of an order, loaded whole, as it is signed.

    What changes after the first signature without touching the record, its state and version,
    stays out, so that both signatures can be checked against the same record.
    """
    record: dict[str, Any] = {
        "no": order.no,
        "type": order.type.value,
        "asset": order.asset_id,
        "location": order.location_id,
        "cause": order.cause_code,
        "remedy": order.remedy,
        "labour_minutes": order.labour_minutes,
        "done_by": order.done_by,
        **({"performed_by": order.performed_by} if order.performed_by else {}),
        "done_at": order.done_at.astimezone(UTC).isoformat() if order.done_at else None,
        "steps": [
            [s.key, s.value, s.verdict.value if s.verdict else None, s.note, s.tolerance]
            for s in order.steps
        ],
        "costs": [[c.kind.value, c.amount, c.currency] for c in order.costs],
    }
    # What came to the record later is left out where there is none: older hashes stay true.
    if order.as_found:
        record["as_found"] = order.as_found.value
    if order.photos:
        record["photos"] = sorted([p.step_key, p.sha256] for p in order.photos)
    if order.labour:
        record["labour"] = [[x.name, x.minutes] for x in order.labour]
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_intact(order: WorkOrder) -> bool:
    """Tell whether the record still is what the last signature stands under."""
    return not order.signatures or order.signatures[-1].record_hash == record_hash(order)
