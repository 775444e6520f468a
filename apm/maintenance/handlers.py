"""What plans do when work goes on."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context
from apm.core.events import subscribe
from apm.maintenance.settling import settle
from apm.work.events import WorkOrderMoved
from apm.work.states import WorkType


@subscribe(WorkOrderMoved)
def settle_occurrence(ctx: Context, _event_id: int, payload: dict[str, Any]) -> None:
    """Follow a work order that was made for due dates, or joined by them.

    It reads where the order stands now rather than what the event says: late, repeated or out of
    order, the answer is the same.
    """
    if payload.get("type") == WorkType.PREVENTIVE:
        settle(ctx, work_order_id=payload["work_order_id"])
