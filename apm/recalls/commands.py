"""Entering notices, deciding about the equipment they touch, opening the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.commands import advance
from apm.assets.model import GONE, Asset
from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.recalls.finding import find, find_again
from apm.recalls.model import CaseState, RecallCase, RecallClass, SafetyNotice
from apm.recalls.queries import case_of, counts_of, notice_by_id
from apm.recalls.work import new_work
from apm.work.model import WorkOrder
from apm.work.opening import Opening

EDIT = Permission.RECALL_EDIT


@command("recall.add", EDIT)
def add_notice(ctx: Context, *, details: dict[str, Any]) -> SafetyNotice:
    """Enter a notice, and note at once which equipment it touches.

    Args:
        ctx: the context.
        details: as `schema.NoticeIn` reads them.

    Raises:
        Invalid: this issuer's notice is in the register already.
    """
    notice = SafetyNotice(**details, entered_by=ctx.actor.name, entered_at=ctx.now())
    _refuse_known(ctx, notice)
    ctx.session.add(notice)
    ctx.session.flush()
    find(ctx, [notice])
    return notice


@command("recall.change", EDIT)
def change_notice(ctx: Context, *, notice_id: int, details: dict[str, Any]) -> SafetyNotice:
    """Correct a notice.  Equipment that is not meant any more leaves unless somebody worked on it.

    Raises:
        NotFound: no such notice.
        Conflict: it is closed.
        Invalid: another notice of this issuer has the number.
    """
    notice = _to_change(ctx, notice_id)
    _refuse_closed(notice)
    is_renamed = (details["issuer"], details["number"]) != (notice.issuer, notice.number)
    with ctx.session.no_autoflush:
        for name, value in details.items():
            setattr(notice, name, value)
        if is_renamed:
            _refuse_known(ctx, notice)
    ctx.session.flush()
    find(ctx, [notice])
    return notice


@command("recall.match", Permission.SYSTEM_RUN)
def match_assets(ctx: Context, *, asset_ids: Sequence[int]) -> None:
    """Note which open notices touch equipment that is new or described anew."""
    find_again(ctx, asset_ids)


@command("recall.decide", EDIT)
def decide(
    ctx: Context, *, notice_id: int, asset: str, state: CaseState, note: str | None = None
) -> RecallCase:
    """Say what became of one asset.

    Raises:
        NotFound: no such notice, or it does not touch this equipment.
        Conflict: the notice is closed.
        Invalid: not affected, and nobody says how that is known.
    """
    notice = _to_change(ctx, notice_id)
    _refuse_closed(notice)
    case = case_of(ctx, notice, asset_by_code(ctx, asset))
    said = (note or "").strip() or None
    if state is CaseState.NOT_AFFECTED and said is None:
        message = _l("Say how you know: serial number, version or lot as read on the device.")
        raise Invalid(message, fields={"note": [message]})
    case.state, case.note = state, said
    is_open = state is CaseState.TO_CHECK
    case.decided_by = None if is_open else ctx.actor.name
    case.decided_at = None if is_open else ctx.now()
    ctx.session.flush()
    return case


@command("recall.open_work", EDIT)
def open_orders(ctx: Context, *, notice_id: int) -> list[WorkOrder]:
    """Open an inspection for each asset that is to be checked and has none; return the new ones.

    Raises:
        NotFound: no such notice.
        Conflict: the notice is closed.
    """
    notice = _to_change(ctx, notice_id)
    _refuse_closed(notice)
    ctx.actor.require(Permission.WORK_CREATE)
    opening = Opening(ctx)  # two people at once: the second waits, then finds nothing to open
    query = (
        select(RecallCase)
        .join(RecallCase.asset)
        .options(joinedload(RecallCase.asset).joinedload(Asset.department))
        .where(
            RecallCase.notice_id == notice.id,
            RecallCase.state == CaseState.TO_CHECK,
            RecallCase.work_order_id.is_(None),
            Asset.lifecycle.not_in(GONE),
        )
        .order_by(RecallCase.id)
        .execution_options(populate_existing=True)
    )
    made = []
    for case in ctx.session.scalars(query).all():
        order = opening.add(new_work(notice, case.asset), None)
        case.work_order_id = order.id
        made.append(order)
    opening.write_checklists()
    return made


@command("recall.quarantine", EDIT)
def take_out_of_use(ctx: Context, *, notice_id: int, asset: str) -> Asset:
    """Put an asset that an open notice of class I touches into quarantine.

    Raises:
        NotFound: no such notice, or it does not touch this equipment.
        Conflict: the notice is closed or of another class, or the asset cannot be quarantined.
    """
    notice = _to_change(ctx, notice_id)
    _refuse_closed(notice)
    case_of(ctx, notice, asset_by_code(ctx, asset))
    if notice.recall_class is not RecallClass.I:
        raise Conflict(
            _l("Only a recall of class I takes equipment out of use from here. Use its own page.")
        )
    return advance(ctx, code=asset, action="quarantine")


@command("recall.close", EDIT)
def close_notice(ctx: Context, *, notice_id: int) -> SafetyNotice:
    """Close a notice: all its equipment is decided about.

    Raises:
        NotFound: no such notice.
        Conflict: it is closed, or something is still to be checked.
    """
    notice = _to_change(ctx, notice_id)
    _refuse_closed(notice)
    if n := counts_of(ctx, [notice])[notice.id].to_check:
        raise Conflict(
            _l("%(n)s devices are still to be checked. Decide about each of them first."),
            code="to_check",
            n=n,
        )
    notice.closed_by, notice.closed_at = ctx.actor.name, ctx.now()
    return notice


@command("recall.reopen", EDIT)
def reopen_notice(ctx: Context, *, notice_id: int) -> SafetyNotice:
    """Open a closed notice again, and look for its equipment anew; an open one stays open."""
    notice = _to_change(ctx, notice_id)
    notice.closed_by = notice.closed_at = None
    find(ctx, [notice])
    return notice


def _to_change(ctx: Context, notice_id: int) -> SafetyNotice:
    """Return a notice that nobody else changes until this command ends."""
    query = select(SafetyNotice).where(SafetyNotice.id == notice_id).with_for_update()
    found = ctx.session.scalar(query.execution_options(populate_existing=True))
    return found or notice_by_id(ctx, notice_id)


def _refuse_closed(notice: SafetyNotice) -> None:
    if notice.closed_at is not None:
        raise Conflict(_l("This notice is closed. Open it again first."), code="closed")


def _refuse_known(ctx: Context, notice: SafetyNotice) -> None:
    query = select(SafetyNotice.id).where(
        SafetyNotice.issuer == notice.issuer, SafetyNotice.number == notice.number
    )
    if ctx.session.scalar(query) is not None:
        message = _l("This notice is in the register already. Look for its number in the list.")
        raise Invalid(message, fields={"number": [message]}, code="number_taken")
