"""What the pages of a work order and of an asset say about causes."""

from __future__ import annotations

from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.assets.panels import panel
from apm.attribution.model import DeviceEvent
from apm.attribution.proposing import kept_again
from apm.attribution.queries import agrees, attribution_of
from apm.attribution.wording import said, weight_words
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.panels import Panel
from apm.core.permissions import Permission
from apm.work.model import WorkOrder
from apm.work.sections import section
from apm.work.states import WorkState, WorkType

MOST = 3
"""Pieces of evidence shown beside the checklist; the page has them all."""


@section(order=16, permission=Permission.WORK_READ)
def cause_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """What the evidence says of a repair, in short."""
    is_repair = order.type is WorkType.CORRECTIVE and order.asset is not None
    if not is_repair or order.state is WorkState.CANCELLED:
        return None
    row = attribution_of(ctx, order)
    assessment = kept_again(row) if row else None
    pieces = []
    if assessment:
        telling = [p for p in assessment.proposal.pieces if p.speaks_for][:MOST]
        pieces = [(said(assessment.of(p.kind)), weight_words(p)) for p in telling]
    data = {
        "row": row,
        "pieces": pieces,
        "assessment": assessment,
        "order": order,
        "is_at_odds": bool(
            row
            and row.confirmed_cause
            and order.cause_code
            and not agrees(order.cause_code, row.confirmed_cause)
        ),
    }
    return Panel(
        _l("Cause: what the evidence says"),
        "chart",
        "attribution/_work_section.html",
        data,
        url=f"/work-orders/{order.no}/cause",
        more=_l("Evidence and decision"),
    )


@panel(order=62, permission=Permission.READING_READ)
def log_panel(ctx: Context, asset: Asset) -> Panel | None:
    """The device's own log, where it sends one."""
    query = (
        select(DeviceEvent)
        .where(DeviceEvent.asset_id == asset.id)
        .order_by(DeviceEvent.at.desc(), DeviceEvent.id.desc())
    )
    lines = list(ctx.session.scalars(query.limit(MOST)))
    if not lines:
        return None
    total = select(func.count(DeviceEvent.id)).where(DeviceEvent.asset_id == asset.id)
    data = {"lines": lines, "n": ctx.session.scalar(total) or 0}
    return Panel(
        _l("The device's own log"),
        "list",
        "attribution/_log_panel.html",
        data,
        url=f"/assets/{asset.code}/log",
        more=_l("All lines"),
    )
