"""What the pages of an asset and of a work order say about reports."""

from __future__ import annotations

from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.queries import adverse_on, merged_into, open_on, requests_of, told_by
from apm.work.model import WorkOrder
from apm.work.sections import section


@panel(order=20, permission=Permission.REQUEST_READ)
def requests_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Reports that are not finished."""
    requests = open_on(ctx, asset)
    if not requests:
        return None
    return Panel(
        _l("Open reports"), "bell", "requests/_asset_requests.html", {"requests": requests},
        tone="warn",
    )  # fmt: skip


@panel(order=21, permission=Permission.REQUEST_READ)
def harm_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Suspected adverse events, whatever became of the reports."""
    requests = adverse_on(ctx, asset)
    if not requests:
        return None
    data = {"requests": requests}
    title = _l("Suspected adverse events")
    return Panel(title, "alert", "requests/_asset_requests.html", data, tone="bad")


@section(order=10, permission=Permission.WORK_READ)
def reported_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """What was reported, with everything that came along; what it is the rework of."""
    requests = requests_of(ctx, order)
    origin = order.origin or ""
    rework_of = origin.removeprefix("rework:") if origin.startswith("rework:") else ""
    if not requests and not rework_of:
        return None
    merged = merged_into(ctx, *requests)
    data = {"said": told_by(ctx, [*requests, *merged]), "rework_of": rework_of}
    tone = "bad" if any(request.adverse_at for request in (*requests, *merged)) else ""
    title = _l("What was reported")
    return Panel(title, "bell", "requests/_work_section.html", data, tone=tone)
