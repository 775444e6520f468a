"""What may be done with an alarm now, by whom: one table for buttons, API and checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from apm.core.command import Actor
from apm.core.errors import Conflict, NotAllowed
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.readings.model import Alarm, Muted
from apm.work.states import Priority

HANDLE, AUTHORISE = Permission.ALARM_HANDLE, Permission.ALARM_AUTHORISE
LONGEST_SHELF = {
    Priority.URGENT: timedelta(hours=1),
    Priority.HIGH: timedelta(hours=8),
    Priority.NORMAL: timedelta(days=1),
    Priority.LOW: timedelta(days=7),
}
"""How long an alarm may be silenced, by priority: a policy of ours, as ISA-18.2 wants one."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something one may do with an alarm, and when."""

    permission: Permission
    is_open: Callable[[Alarm], bool]


DEEDS: dict[str, Deed] = {
    "acknowledge": Deed(HANDLE, lambda alarm: not alarm.acknowledged),
    "clear": Deed(HANDLE, lambda alarm: alarm.active),
    "shelve": Deed(HANDLE, lambda alarm: alarm.active and alarm.muted is None),
    "unshelve": Deed(HANDLE, lambda alarm: alarm.muted is Muted.SHELVED),
    "take_out": Deed(AUTHORISE, lambda alarm: alarm.muted is not Muted.OUT_OF_SERVICE),
    "put_back": Deed(AUTHORISE, lambda alarm: alarm.muted is Muted.OUT_OF_SERVICE),
    "judge": Deed(HANDLE, lambda alarm: True),
}


def actions_of(alarm: Alarm, actor: Actor) -> list[str]:
    """Return what this actor may do with an alarm now."""
    return [
        name for name, deed in DEEDS.items() if actor.can(deed.permission) and deed.is_open(alarm)
    ]


def check(alarm: Alarm, actor: Actor, action: str) -> None:
    """Refuse what is not possible now.

    Raises:
        NotAllowed: the actor may not.
        Conflict: the alarm does not stand so.
    """
    deed = DEEDS[action]
    if not actor.can(deed.permission):
        raise NotAllowed(_l("Your role may not do this. Ask your equipment department."))
    if not deed.is_open(alarm):
        message = (
            _l("This alarm has ended already. Nothing is left to clear.")
            if action == "clear"
            else _l("The alarm does not stand like that any more. Reload the page.")
        )
        raise Conflict(message, code="not_now")
