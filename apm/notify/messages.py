"""The words of each kind of message, said in the reader's language when it is read or sent.

They name numbers, equipment and places, never what a reporter typed: a message leaves the
hospital, and free text may speak of a patient.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from apm.core.i18n import _, _l, choose, ngettext
from apm.labels import label
from apm.notify.sending import Words
from apm.notify.topics import Topic
from apm.readings.reasons import title_of


class Sort(NamedTuple):
    """A kind of message: what it says, and which topic it belongs to."""

    text: Any
    topic: Topic
    is_urgent: bool = False


SORTS: dict[str, Sort] = {
    "request_reported": Sort(_l("New fault report %(no)s"), Topic.REPORT),
    "request_urgent": Sort(_l("Urgent fault report %(no)s"), Topic.URGENT, is_urgent=True),
    "request_moved": Sort(_l("Your report %(no)s: %(state)s"), Topic.MY_REPORT),
    "finding": Sort(_l("A detector found something unusual: work order %(no)s"), Topic.FINDING),
    "forecast_asks": Sort(_l("A forecast asks for work: work order %(no)s"), Topic.FINDING),
    "alarm": Sort(_l("Alarm %(sensor)s: %(reason)s"), Topic.FINDING),
    "alarm_urgent": Sort(_l("Urgent alarm %(sensor)s: %(reason)s"), Topic.URGENT, is_urgent=True),
    "alarm_escalated": Sort(
        _l("Nobody has answered yet: alarm %(sensor)s: %(reason)s"), Topic.URGENT, is_urgent=True
    ),
    "assigned": Sort(_l("Work order %(no)s is yours"), Topic.ASSIGNED),
    "to_close": Sort(_l("Work order %(no)s is done and waits for your signature"), Topic.TO_CLOSE),
    "respond_near": Sort(_l("%(no)s: the time to respond has nearly run out"), Topic.DEADLINE),
    "resolve_near": Sort(_l("%(no)s: the time to repair has nearly run out"), Topic.DEADLINE),
    "respond_missed": Sort(_l("%(no)s: nobody responded in time"), Topic.DEADLINE),
    "resolve_missed": Sort(_l("%(no)s: it is not repaired in time"), Topic.DEADLINE),
    "respond_late": Sort(
        _l("Urgent %(no)s: nobody responded in time"), Topic.DEADLINE, is_urgent=True
    ),
    "resolve_late": Sort(
        _l("Urgent %(no)s: it is not repaired in time"), Topic.DEADLINE, is_urgent=True
    ),
    "due_soon": Sort(_l("Work order %(no)s is due soon"), Topic.OVERDUE),
    "due_today": Sort(_l("Work order %(no)s is due today"), Topic.OVERDUE),
    "in_grace": Sort(
        _l("Work order %(no)s is past its due date, its last day is near"), Topic.OVERDUE
    ),
    "overdue": Sort(_l("Work order %(no)s is overdue"), Topic.OVERDUE),
    "escalated": Sort(
        _l("Nobody has answered yet: urgent fault report %(no)s"), Topic.URGENT, is_urgent=True
    ),
    "escalated_work": Sort(
        _l("Nobody has answered yet: work order %(no)s"), Topic.URGENT, is_urgent=True
    ),
    "adverse_event": Sort(
        _l("Suspected adverse event: report %(no)s"), Topic.URGENT, is_urgent=True
    ),
    "parts_low": Sort(_l("Spare parts newly below their minimum: %(n)s"), Topic.STOCK),
    "verifications_due": Sort(
        _l("Verifications newly due within 60 days: %(n)s"), Topic.METROLOGY
    ),
    "use_blocked": Sort(_l("Do not use %(no)s. Its verification: %(light)s"), Topic.METROLOGY),
    "use_allowed": Sort(
        _l("%(no)s may be used again: its verification is valid"), Topic.METROLOGY
    ),
    "instrument_due": Sort(
        _l("Calibration of test instrument %(no)s: %(light)s"), Topic.METROLOGY
    ),
    "instrument_doubtful": Sort(
        _l("Test instrument %(no)s was out of tolerance. Work orders in doubt: %(n)s"),
        Topic.METROLOGY,
    ),
    "recall_touches": Sort(_l("Notice %(no)s touches devices of ours: %(n)s"), Topic.RECALL),
    "recall_grave": Sort(
        _l("Class I recall %(no)s touches devices of ours: %(n)s"), Topic.URGENT, is_urgent=True
    ),
    "channel_fails": Sort(_l("Messages do not get out: %(name)s"), Topic.SYSTEM),
    "webhook_off": Sort(
        _l("A webhook failed for days and is switched off: %(name)s"), Topic.SYSTEM
    ),
    "digest": Sort(_l("Your day in the equipment department"), Topic.SYSTEM),
    "test": Sort(_l("A test message from apm"), Topic.SYSTEM),
}


class News(NamedTuple):
    """Something to tell: its kind, what fills the words, and where the matter is."""

    kind: str
    params: dict[str, Any]
    url: str


class Message(Protocol):
    """What has words: a notification, a delivery, an item of a digest."""

    kind: str
    params: dict[str, Any]


def message_text(message: Message) -> str:
    """Return what a message says, in one line."""
    return say(message.kind, message.params)


def say(kind: str, params: dict[str, Any]) -> str:
    """Return what a message of this kind says, in one line."""
    values = dict(params)
    if kind == "request_moved":
        values["state"] = label("request", params["state"])
    if params.get("light"):
        values["light"] = label("light", params["light"])
    if params.get("reason"):
        values["reason"] = title_of(params["reason"])
    return str(SORTS[kind].text) % values


def whereabouts(params: dict[str, Any]) -> str:
    """Return the equipment and the place a message is about; nothing when it names none."""
    equipment = choose(params.get("asset"), params.get("asset_zh"))
    place = choose(params.get("place"), params.get("place_zh"))
    return " · ".join(part for part in (equipment, place) if part)


def outgoing(kind: str, params: dict[str, Any], link: str, *, is_personal: bool) -> Words:
    """Return a message as it leaves the program."""
    body = whereabouts(params)
    if kind == "digest":
        body = "\n".join(f"- {say(item['kind'], item['params'])}" for item in params["items"])
        more = params["n"] - len(params["items"])
        body += "\n" + ngettext("and %(n)s more", "and %(n)s more", more) if more else ""
    footer = _("Change what you are told on the page of your account.") if is_personal else ""
    return Words(say(kind, params), body, link, footer)
