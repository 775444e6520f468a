"""Taking hold of one request to change it: fresh, whole and locked."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.requests.model import Request
from apm.work.loading import FRESH, expect_version
from apm.work.model import WorkOrder


def request_to_change(ctx: Context, no: str, version: int | None = None) -> Request:
    """Return a request with its asset and work order, locked; errors as `order_to_change`."""
    query = (
        select(Request)
        .where(Request.no == no)
        .options(
            selectinload(Request.asset),
            selectinload(Request.work_order).selectinload(WorkOrder.asset),
            selectinload(Request.duplicate_of).selectinload(Request.work_order),
        )
        .with_for_update(of=Request)
        .execution_options(**FRESH)
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such request here. Check the number in the list."))
    expect_version(found.version, version)
    return found
