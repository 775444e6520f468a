"""Messages of forecasts: that one asks for work, to the engineers who look after the equipment."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context
from apm.core.events import subscribe
from apm.core.permissions import Permission, Role
from apm.notify.commands import send
from apm.notify.messages import News
from apm.notify.subjects import about, of_the_team, people_who_may
from apm.work.events import WorkOrderOpened

FORECAST = "forecast:"


@subscribe(WorkOrderOpened)
def tell_of_foretold_work(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell who may plan the work or set the forecast aside, of the team of the equipment."""
    if not (payload.get("origin") or "").startswith(FORECAST):
        return
    people = people_who_may(ctx, Permission.FORECAST_HANDLE, Role.MANAGER)
    news = News(
        "forecast_asks",
        about(ctx, payload["no"], payload["asset_id"]),
        f"/work-orders/{payload['no']}",
    )
    own = of_the_team(ctx, people, payload["asset_id"])
    send(ctx, event_id=event_id, user_ids=own, news=news)
