"""What the pages of an asset and of a work order say about recalls."""

from __future__ import annotations

from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.recalls.model import CaseState, RecallClass
from apm.recalls.queries import cases_of_order, open_cases
from apm.work.model import WorkOrder
from apm.work.sections import section


@panel(order=15, permission=Permission.RECALL_READ)
def recall_panel(ctx: Context, asset: Asset) -> Panel | None:
    """The open notices that touch it."""
    cases = open_cases(ctx, asset)
    if not cases:
        return None
    waiting = [case for case in cases if case.state is CaseState.TO_CHECK]
    grave = any(case.notice.recall_class is RecallClass.I for case in waiting)
    tone = "bad" if grave else "warn" if waiting else ""
    return Panel(
        _l("Recalls and safety notices"), "alert", "recalls/_panel.html", {"cases": cases},
        tone=tone,
    )  # fmt: skip


@section(order=14, permission=Permission.RECALL_READ)
def order_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """The notice an order was opened for, and what it asks for."""
    if not (order.origin or "").startswith("recall:"):
        return None
    data = {"cases": cases_of_order(ctx, order.id)}
    return Panel(_l("Recall or safety notice"), "alert", "recalls/_order.html", data, tone="warn")
