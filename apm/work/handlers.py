"""What work asks of the features below it, and does when there is new work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from apm.assets.lifecycle import before_retirement
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.errors import Conflict
from apm.core.events import subscribe
from apm.core.i18n import _l
from apm.work.events import WorkOrderOpened
from apm.work.giving_out import give_out
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK


@before_retirement
def refuse_while_work_is_open(ctx: Context, asset: Asset) -> None:
    """An asset with open work is not retired: somebody may be working on it."""
    query = select(WorkOrder.no).where(
        WorkOrder.asset_id == asset.id, WorkOrder.state.in_(OPEN_WORK)
    )
    if no := ctx.session.scalar(query.limit(1)):
        raise Conflict(
            _l("Work order %(no)s is still open. Close or cancel it first."),
            code="open_work",
            no=no,
        )


@subscribe(WorkOrderOpened)
def give_new_work_out(ctx: Context, _event_id: int, payload: dict[str, Any]) -> None:
    """Where a team wants it, a new repair goes to the proposed person."""
    give_out(ctx, payload["no"])
