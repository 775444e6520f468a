"""What the page of a work order says about printed reports."""

from __future__ import annotations

from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.reports.commands import FINISHED
from apm.reports.queries import reports_of
from apm.work.completion import record_hash
from apm.work.model import WorkOrder
from apm.work.sections import Panel, beside


@beside(order=80, permission=Permission.WORK_READ)
def reports_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """Print the record; what was printed before."""
    if order.state not in FINISHED:
        return None
    data = {"no": order.no, "reports": reports_of(ctx, order), "hash": record_hash(order)}
    return Panel(_l("Report to print"), "printer", "reports/_work_section.html", data)
