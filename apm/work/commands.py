"""Opening work: the one way a work order comes to be, whoever asks for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from apm.assets.model import Asset, Location
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.work.model import WorkOrder
from apm.work.opening import NewWork, make_order
from apm.work.states import Priority, WorkType


@command("work_order.open", Permission.WORK_CREATE)
def open_work(  # noqa: PLR0913  (each is one fact of the order, given by name)
    ctx: Context,
    *,
    type: WorkType,  # noqa: A002  (the word of the interface)
    title: str,
    asset: Asset | None = None,
    location: Location | None = None,
    title_zh: str | None = None,
    priority: Priority = Priority.NORMAL,
    origin: str | None = None,
    evidence: dict[str, Any] | None = None,
    template_code: str | None = None,
    due_on: date | None = None,
    late_after: date | None = None,
) -> WorkOrder:
    """Open a work order on an asset or in a place, and return it.

    Safe to repeat: with the same `origin` it returns the order made before.  A predictive finding
    joins an open predictive order of the same asset or place: it is added to the evidence there,
    under `also`, and that order is returned.

    Args:
        ctx: the context; its actor's hospital gets the order.
        type: why the work is done.
        title: what is to be done, in English.
        asset: what it is done on; None for a place.
        location: where, for work that is on no asset.
        title_zh: the title in Chinese.
        priority: how soon.
        origin: what asks for it, unique: `request:R-2026-000012`, `alarm:17`.
        evidence: what a detector saw, as plain JSON: the series, the score, since when.
        template_code: the checklist, copied now; later changes of the template do not reach it.
        due_on: the local day it is due.
        late_after: the local day after which it counts as late.
    """
    return make_order(
        ctx,
        NewWork(
            type=type,
            title=title,
            asset=asset,
            location=location,
            title_zh=title_zh,
            priority=priority,
            origin=origin,
            evidence=evidence,
            template_code=template_code,
            due_on=due_on,
            late_after=late_after,
        ),
    )
