"""What the pages of an asset and of a work order say about reports."""

from __future__ import annotations

from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.queries import comments_of, open_on, photos_of, requests_of
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


@section(order=10, permission=Permission.WORK_READ)
def reported_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """What was reported, with everything that came along."""
    requests = requests_of(ctx, order)
    if not requests:
        return None
    said = [(request, comments_of(ctx, request), photos_of(ctx, request)) for request in requests]
    return Panel(_l("What was reported"), "bell", "requests/_work_section.html", {"said": said})
