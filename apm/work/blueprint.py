"""Where the JSON endpoints of work orders are registered, and what each phone's request says.

The time of sending stands in a header: the body stays the same when it is sent again, as its
`Idempotency-Key` demands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request

from apm.core.intake import Blueprint
from apm.work.phone import Sent

api = Blueprint("work_api", __name__, url_prefix="/api/v1")
Headed = tuple[Any, int, dict[str, str]]
SENT_AT = "Apm-Sent-At"


def sent_of(said: Mapping[str, Any]) -> Sent:
    """Return what a phone says of itself: in the body, and when it sent that in `Apm-Sent-At`."""
    return Sent(said["device"], said["device_at"], _instant(request.headers.get(SENT_AT, "")))


def _instant(text: str) -> datetime | None:
    """Return the time in a header; what is none counts as not said."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
