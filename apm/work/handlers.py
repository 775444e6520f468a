"""What work asks of the features below it."""

from __future__ import annotations

from sqlalchemy import select

from apm.assets.lifecycle import before_retirement
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.errors import Conflict
from apm.core.i18n import _l
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
