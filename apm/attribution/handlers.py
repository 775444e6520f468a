"""Collecting the evidence as a repair goes on: when it starts, is done, and is closed."""

from __future__ import annotations

from typing import Any

import apm.attribution.device_errors  # noqa: F401  (forecasts learn from what devices report)
from apm.attribution.commands import collect_evidence
from apm.core.command import Context
from apm.core.events import subscribe
from apm.work.events import WorkOrderMoved
from apm.work.model import WorkOrder
from apm.work.states import WorkType

WHEN = frozenset({"start", "complete", "close"})


@subscribe(WorkOrderMoved)
def collect(ctx: Context, _event_id: int, moved: dict[str, Any]) -> None:
    """Keep what the evidence says of a repair of equipment; a repeat does no harm."""
    if moved["action"] not in WHEN or moved["type"] != WorkType.CORRECTIVE.value:
        return
    order = ctx.session.get(WorkOrder, moved["work_order_id"])
    if order is not None and order.asset_id is not None:
        collect_evidence(ctx, no=moved["no"])
