"""The logs of devices as JSON."""

from __future__ import annotations

from typing import Any

from apm.attribution.blueprint import api
from apm.attribution.log import Stored, add_events
from apm.attribution.schema import LogIn, LogOut
from apm.core.http import context, requires
from apm.core.permissions import Permission


@api.post("/device-events")
@api.arguments(LogIn)
@api.response(200, LogOut)
@requires(Permission.READING_SEND)
def send_log(body: dict[str, Any]) -> Stored:
    """Store lines of devices' logs, all or none; sent again they are known."""
    return add_events(context(), lines=body["lines"], source="api")
