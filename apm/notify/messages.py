"""The words of each kind of message, said in the reader's language when it is read."""

from __future__ import annotations

from typing import Any

from apm.core.i18n import _l
from apm.labels import label
from apm.notify.model import Notification

TEXTS: dict[str, Any] = {
    "request_reported": _l("New fault report %(no)s"),
    "request_urgent": _l("Urgent fault report %(no)s"),
    "request_moved": _l("Your report %(no)s: %(state)s"),
    "finding": _l("A detector found something unusual: work order %(no)s"),
    "assigned": _l("Work order %(no)s is yours"),
    "to_close": _l("Work order %(no)s is done and waits for your signature"),
}


def message_text(message: Notification) -> str:
    """Return what a message says."""
    params = dict(message.params)
    if message.kind == "request_moved":
        params["state"] = label("request", params["state"])
    return str(TEXTS[message.kind]) % params
