"""Events become deliveries to whoever subscribed to their kind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from apm.core.command import Context
from apm.core.events import Outbox, subscribe
from apm.core.permissions import Permission
from apm.notify.commands import send
from apm.notify.messages import News
from apm.notify.model import Delivery
from apm.notify.subjects import people_who_may
from apm.webhooks.carrier import event_name
from apm.webhooks.events import WebhookSwitchedOff
from apm.webhooks.kinds import KINDS, Kind
from apm.webhooks.queries import webhooks


def _follow(name: str, kind: Kind) -> None:
    @subscribe(kind.event)
    def tell(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
        """Make a delivery for each webhook that wants this kind; a repeat makes none."""
        wanted = {
            f"hook:{event_id}:{one.id}": one
            for one in webhooks(ctx)
            if one.is_active and name in one.events
        }
        if not wanted:
            return
        have = set(ctx.session.scalars(select(Delivery.key).where(Delivery.key.in_(wanted))))
        data = kind.data(ctx, payload)
        event = ctx.session.get_one(Outbox, event_id)
        for key in wanted.keys() - have:
            ctx.session.add(
                Delivery(
                    key=key,
                    carrier="webhook",
                    target_id=wanted[key].id,
                    kind=name,
                    params={
                        "id": event_name(ctx.actor.hospital_id, event_id),
                        "at": event.at.isoformat(),
                        "data": data,
                    },
                    url="",
                    made_at=ctx.now(),
                    next_at=ctx.now(),
                )
            )


for _name, _kind in KINDS.items():
    _follow(_name, _kind)


@subscribe(WebhookSwitchedOff)
def tell_of_a_dead_webhook(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell administrators that a program hears nothing more."""
    send(
        ctx,
        event_id=event_id,
        user_ids=people_who_may(ctx, Permission.USER_ADMIN),
        news=News("webhook_off", {"name": payload["name"]}, "/admin/webhooks"),
    )
