"""What plans do when work goes on."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context
from apm.core.events import subscribe
from apm.maintenance.generation import settle
from apm.work.events import WorkOrderMoved


@subscribe(WorkOrderMoved)
def settle_occurrence(ctx: Context, _event_id: int, payload: dict[str, Any]) -> None:
    """Follow a work order that was made for a due date.

    It reads where the order stands now rather than what the event says: late, repeated or out of
    order, the answer is the same.
    """
    if str(payload.get("origin") or "").startswith("occurrence:"):
        settle(ctx, work_order_id=payload["work_order_id"])
