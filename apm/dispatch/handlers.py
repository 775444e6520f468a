"""What dispatch does when there is new work."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context
from apm.core.events import subscribe
from apm.dispatch.giving_out import give_out
from apm.work.events import WorkOrderOpened


@subscribe(WorkOrderOpened)
def give_new_work_out(ctx: Context, _event_id: int, payload: dict[str, Any]) -> None:
    """Where a team wants it, a new repair goes to the proposed person."""
    give_out(ctx, payload["no"])
