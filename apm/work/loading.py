"""Taking hold of one work order to change it: fresh, whole and locked."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.base import ExecutableOption

from apm.core.command import Context
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.work.model import WorkOrder

FRESH = {"populate_existing": True}
"""What was read before the command began may be old by now.

Nothing is joined to a row that is locked: PostgreSQL, having waited for the lock, reads that row
again but not what was joined to it.
"""


def order_to_change(ctx: Context, no: str, version: int | None = None) -> WorkOrder:
    """Return a work order with asset, place and all of its record, locked.

    Raises:
        NotFound: there is none of this number in the hospital.
        Conflict: `version` is given and the order has changed since.
    """
    query = (
        select(WorkOrder)
        .where(WorkOrder.no == no)
        .options(
            selectinload(WorkOrder.asset),
            selectinload(WorkOrder.location),
            *whole(),
        )
        .with_for_update(of=WorkOrder)
        .execution_options(**FRESH)
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such work order here. Check the number in the list."))
    expect_version(found.version, version)
    return found


def whole() -> tuple[ExecutableOption, ...]:
    """Return what loads all of an order's record with it."""
    return (
        selectinload(WorkOrder.steps),
        selectinload(WorkOrder.costs),
        selectinload(WorkOrder.signatures),
        selectinload(WorkOrder.photos),
        selectinload(WorkOrder.labour),
        selectinload(WorkOrder.addenda),
    )


def expect_version(current: int, seen: int | None) -> None:
    """Refuse a change by somebody who has not seen the row as it is."""
    if seen is not None and seen != current:
        raise Conflict(_l("Somebody else changed this first. Reload and try again."))
