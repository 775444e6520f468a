"""What the page of a work order says about the due dates it ticks: why now."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.model import Occurrence, OccurrenceState
from apm.maintenance.reasons import said
from apm.procedures.shelf import templates_for
from apm.work.model import WorkOrder
from apm.work.sections import Panel, section
from apm.work.states import WorkType


@section(order=15, permission=Permission.PLAN_READ)
def why_now(ctx: Context, order: WorkOrder) -> Panel | None:
    """Say which due dates a preventive order is for, and what made them due."""
    if order.type is not WorkType.PREVENTIVE:
        return None
    query = (
        select(Occurrence)
        .where(
            Occurrence.work_order_id == order.id,
            (Occurrence.state != OccurrenceState.CANCELLED) | Occurrence.is_extra.is_(False),
        )
        .options(joinedload(Occurrence.plan))
        .order_by(Occurrence.due, Occurrence.id)
    )
    found = list(ctx.session.scalars(query))
    if not found:
        return None
    data = {"occurrences": found, "said": said, "templates": templates_for(ctx)}
    return Panel(_l("Why now"), "calendar", "maintenance/_why_now.html", data)
