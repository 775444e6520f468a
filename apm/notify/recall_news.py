"""Who is told that a recall or safety notice touches equipment: those who keep the register."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context
from apm.core.events import subscribe
from apm.core.permissions import Permission
from apm.notify.commands import send
from apm.notify.messages import News
from apm.notify.subjects import people_who_may
from apm.recalls.events import NoticeTouches


@subscribe(NoticeTouches)
def tell_of_a_recall(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell how many devices a notice touches that it did not touch before."""
    kind = "recall_grave" if payload["is_grave"] else "recall_touches"
    params = {"no": payload["number"], "n": payload["n"]}
    send(
        ctx,
        event_id=event_id,
        user_ids=people_who_may(ctx, Permission.RECALL_EDIT),
        news=News(kind, params, f"/recalls/{payload['notice_id']}"),
    )
