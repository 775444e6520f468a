"""How soon a reported fault is looked at, and why; a person may decide otherwise."""

from __future__ import annotations

from datetime import timedelta

from apm.assets.model import Risk
from apm.core.i18n import _l
from apm.requests.model import Request
from apm.work.states import Priority

DAYS = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 3, Priority.LOW: 7}
"""Local days until a repair of this priority is due."""


def priority_of(request: Request) -> Priority:
    """Return the priority a request (its asset loaded) is proposed with."""
    return Priority.URGENT if reasons_of(request) else Priority.NORMAL


def reasons_of(request: Request) -> list[object]:
    """Return why a request (its asset loaded) is urgent; empty when it is not."""
    reasons = []
    if request.patient_involved:
        reasons.append(_l("A patient is affected."))
    if request.asset.risk is Risk.HIGH:
        reasons.append(_l("The equipment is of high risk."))
    return reasons


def time_for(priority: Priority) -> timedelta:
    """Return how long a repair of this priority may take."""
    return timedelta(days=DAYS[priority])
