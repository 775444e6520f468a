"""Printing a record."""

from __future__ import annotations

import secrets

from sqlalchemy import select

from apm.core.codes import ALPHABET, PublicCode
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.reports.model import IssuedReport
from apm.work.completion import record_hash
from apm.work.loading import order_to_change
from apm.work.states import WorkState

LANGUAGES = ("zh", "en", "both")
FINISHED = frozenset({WorkState.DONE, WorkState.CLOSED})
LENGTH = 16
"""Characters of a report's code: 80 random bits."""


@command("report.issue", Permission.WORK_READ)
def issue(ctx: Context, *, no: str, language: str) -> IssuedReport:
    """Return the report of a finished order: the one printed before if nothing has changed.

    Raises:
        NotFound: no such order here.
        Invalid: not one of `LANGUAGES`.
        Conflict: the work is not done yet.
    """
    if language not in LANGUAGES:
        message = _l("Choose Chinese, English or both.")
        raise Invalid(message, fields={"language": [message]})
    order = order_to_change(ctx, no)
    if order.state not in FINISHED:
        raise Conflict(_l("The work is not done yet. Complete it, then print its report."))
    wanted = {"work_order_id": order.id, "record_hash": record_hash(order), "language": language}
    if found := ctx.session.scalar(select(IssuedReport).filter_by(**wanted)):
        return found
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    made = IssuedReport(code=code, issued_at=ctx.now(), issued_by=ctx.actor.name, **wanted)
    ctx.session.add(made)
    ctx.session.add(
        PublicCode(code=code, kind="report", hospital_id=order.hospital_id, target=order.no)
    )
    return made
