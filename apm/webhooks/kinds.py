"""Which events may be told, by the names other programs know, and what is told of each.

Numbers and states only: names of people, internal ids and what reporters typed stay here.  Who may
see more asks the API for the number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apm.alarms.events import AlarmRaised
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.events import Event
from apm.core.i18n import _l
from apm.dispatch.events import ServiceLevelMissed, ServiceLevelNear
from apm.metrology.events import InstrumentDue, InstrumentOutOfTolerance, UseAllowed, UseBlocked
from apm.notify.subjects import asset_of
from apm.requests.events import RequestMoved, RequestReported
from apm.work.events import WorkOrderMoved, WorkOrderOpened

Data = Callable[[Context, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event as others see it."""

    event: type[Event]
    words: Any
    data: Data


def _only(*names: str) -> Data:
    def pick(_ctx: Context, payload: dict[str, Any]) -> dict[str, Any]:
        return {name: payload[name] for name in names}

    return pick


def _code(found: Asset | None) -> str | None:
    return found.code if found else None


def _reported(ctx: Context, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "no": payload["no"],
        "asset": _code(asset_of(ctx, payload["asset_id"])),
        "symptom": payload["symptom"],
        "urgent": payload["is_urgent"],
    }


def _opened(ctx: Context, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "no": payload["no"],
        "type": payload["type"],
        "priority": payload["priority"],
        "origin": payload["origin"],
        "asset": _code(asset_of(ctx, payload["asset_id"])),
    }


KINDS: dict[str, Kind] = {
    "request.reported": Kind(RequestReported, _l("A fault was reported"), _reported),
    "request.moved": Kind(RequestMoved, _l("A report went on"), _only("no", "action", "state")),
    "work_order.opened": Kind(WorkOrderOpened, _l("A work order was opened"), _opened),
    "work_order.moved": Kind(
        WorkOrderMoved,
        _l("A work order went on"),
        _only("no", "type", "action", "state", "origin"),
    ),
    "alarm.raised": Kind(
        AlarmRaised,
        _l("An alarm was raised"),
        lambda _ctx, p: {
            "id": p["alarm_id"],
            "sensor": p["sensor"],
            "priority": p["priority"],
            "work_order": p["work_order_no"],
            "kind": p.get("alarm_kind", "anomaly"),
        },
    ),
    "service_level.near": Kind(
        ServiceLevelNear,
        _l("A response or repair time has nearly run out"),
        _only("no", "clock", "due_at", "priority"),
    ),
    "service_level.missed": Kind(
        ServiceLevelMissed,
        _l("A response or repair time was missed"),
        _only("no", "clock", "due_at", "priority"),
    ),
    "equipment.blocked": Kind(
        UseBlocked,
        _l("Equipment must not be used: its verification is overdue or failed"),
        lambda _ctx, p: {"asset": p["code"], "why": p["why"]},
    ),
    "equipment.allowed": Kind(
        UseAllowed,
        _l("Equipment may be used again: it has a new certificate"),
        lambda _ctx, p: {"asset": p["code"]},
    ),
    "instrument.due": Kind(
        InstrumentDue,
        _l("The calibration of a test instrument is due, overdue or failed"),
        _only("serial", "light", "calibrated_until"),
    ),
    "instrument.out_of_tolerance": Kind(
        InstrumentOutOfTolerance,
        _l("A test instrument was found out of tolerance"),
        _only("serial", "orders"),
    ),
}
TEST = "webhook.test"
"""Sent by the button; every webhook gets it."""
