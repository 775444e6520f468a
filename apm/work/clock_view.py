"""The clock of an order as people see it: in words, from the order's own columns alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_timedelta

from apm.core.i18n import _, language
from apm.work.clocks import OVER, RESOLVE, RESPOND
from apm.work.model import WorkOrder

SOON = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class ClockView:
    """Which clock counts now, and how it stands."""

    clock: str
    """`respond` or `resolve`."""
    state: str
    """`running`, `paused`, `late`, or at the end `met` or `missed`."""
    due_at: datetime
    time: timedelta
    """Left, late, or paused so far."""

    @property
    def tone(self) -> str:
        """The tone of its chip."""
        if self.state == "running":
            return "warn" if self.time <= SOON else "info"
        return {"paused": "wait", "late": "bad", "met": "ok", "missed": "bad"}[self.state]

    @property
    def words(self) -> str:
        """How it stands, in the language spoken."""
        time = _spoken(self.time)
        if self.state == "paused":
            return _("Clock paused for %(time)s", time=time)
        if self.clock == RESPOND:
            late, left = _("Answer %(time)s late"), _("Answer within %(time)s")
        else:
            late, left = _("Repair %(time)s late"), _("Repair within %(time)s")
        texts = {"late": late, "running": left, "met": _("In time"), "missed": late}
        return texts[self.state] % {"time": time} if self.state != "met" else texts["met"]

    def as_json(self) -> dict[str, Any]:
        """Return it for the API; minutes left, or negative when late."""
        minutes = int(self.time.total_seconds() // 60)
        late = self.state in {"late", "missed"}
        return {
            "clock": self.clock,
            "state": self.state,
            "due_at": self.due_at,
            "minutes": -minutes if late else minutes,
            "text": self.words,
        }


def clock_of(order: WorkOrder, now: datetime) -> ClockView | None:
    """Return the clock that counts now: answering first, then the repair; None without one."""
    if order.respond_by is None or order.resolve_by is None:
        return None
    if order.state in OVER:
        return _ended(order, order.resolve_by)
    if order.responded_at is None:
        return _running(RESPOND, order.respond_by, now)
    if order.paused_at is not None:
        return ClockView(RESOLVE, "paused", order.resolve_by, now - order.paused_at)
    return _running(RESOLVE, order.resolve_by, now)


def _running(clock: str, due_at: datetime, now: datetime) -> ClockView:
    if now > due_at:
        return ClockView(clock, "late", due_at, now - due_at)
    return ClockView(clock, "running", due_at, due_at - now)


def _ended(order: WorkOrder, due_at: datetime) -> ClockView | None:
    if order.done_at is None:  # cancelled: nothing was kept or missed
        return None
    if order.done_at <= due_at:
        return ClockView(RESOLVE, "met", due_at, due_at - order.done_at)
    return ClockView(RESOLVE, "missed", due_at, order.done_at - due_at)


def response_of(order: WorkOrder) -> ClockView | None:
    """Return how the first answer came, once it has."""
    if order.respond_by is None or order.responded_at is None:
        return None
    state = "met" if order.responded_at <= order.respond_by else "missed"
    return ClockView(RESPOND, state, order.respond_by, abs(order.respond_by - order.responded_at))


def _spoken(time: timedelta) -> str:
    """Return a length of time in one unit: "12 minutes", "2 hours"."""
    locale = "zh_Hans_CN" if language() == "zh" else "en_GB"
    return format_timedelta(max(time, timedelta(minutes=1)), granularity="minute",
                            threshold=1.0, locale=locale)  # fmt: skip
