"""How long people worked, and how long the equipment was out of use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.work.field_model import Labour
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.phone import NOT_SAID, Sent
from apm.work.refusals import only_at_work
from apm.work.states import DownKind, DownReason

LONGEST = timedelta(hours=24)
"""A timer that ran longer was forgotten."""


@command("work_order.add_labour", Permission.WORK_DO)
def add_labour(
    ctx: Context, *, no: str, began: datetime, ended: datetime, sent: Sent = NOT_SAID
) -> Labour:
    """Note a stretch of work of whoever is signed in, and add it to the order's minutes.

    Both times are of the phone's clock if `sent` says so; a begun minute counts whole.

    Raises:
        NotFound, Conflict, NotAllowed: as for answers.
        Invalid: it ends before it begins, or lasts longer than a day.
    """
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    lasted = ended - began
    if not timedelta(0) <= lasted <= LONGEST:
        message = _l("Working time ends after it begins and lasts at most 24 hours.")
        raise Invalid(message, fields={"ended": [message]})
    end = sent.was_at(ended, ctx.now())
    labour = Labour(
        work_order_id=order.id,
        user_id=ctx.actor.user_id,
        name=ctx.actor.name,
        began_at=end - lasted,
        ended_at=end,
        minutes=math.ceil(lasted.total_seconds() / 60),
    )
    ctx.session.add(labour)
    order.labour_minutes += labour.minutes
    return labour


@dataclass(frozen=True, slots=True)
class Downtime:
    """From when until when equipment was out of use, how far, and why."""

    began: datetime | None
    ended: datetime | None = None
    kind: DownKind | None = None
    reason: DownReason | None = None


@command("work_order.set_downtime", Permission.WORK_DO)
def set_downtime(ctx: Context, *, no: str, said: Downtime) -> WorkOrder:
    """Put the downtime of a repair right; without an end it ends when the work does.

    Raises:
        NotFound, Conflict, NotAllowed: as for answers.
        Invalid: no beginning, an end before it, a time that has not come, or no repair.
    """
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    if wrong := _wrong(ctx, order, said):
        raise Invalid(_l("These times do not fit."), fields=wrong)
    order.down_from, order.usable_again_at = said.began, said.ended
    order.down_kind, order.down_reason = said.kind, said.reason
    return order


def _wrong(ctx: Context, order: WorkOrder, said: Downtime) -> dict[str, list[object]]:
    if order.down_from is None:
        return {"began": [_l("Only a repair takes equipment out of use.")]}
    if said.began is None:
        return {"began": [_l("Say since when it is out of use.")]}
    if said.began > ctx.now():
        return {"began": [_l("This time has not come yet.")]}
    if said.ended and said.ended > ctx.now():
        return {"ended": [_l("This time has not come yet.")]}
    if said.ended and said.ended < said.began:
        return {"ended": [_l("It ends before it begins.")]}
    return {}
