"""What parts do when work ends."""

from __future__ import annotations

from apm.core.command import Context
from apm.parts.issuing import release_all
from apm.work.model import WorkOrder
from apm.work.moving import when_moved


@when_moved
def release_reservations(ctx: Context, order: WorkOrder, _action: str) -> None:
    """What was promised to an order that ended is free again, in the same command."""
    release_all(ctx, order)
