"""What the page of an asset says about its risk."""

from __future__ import annotations

from apm.assets.model import GONE, Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.risk.queries import risk_of


@panel(order=48, permission=Permission.PLAN_READ)
def risk_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Its scores, and the interval they propose."""
    if asset.lifecycle in GONE:
        return None
    return Panel(
        _l("Risk and interval"),
        "refresh",
        "risk/_asset_panel.html",
        {"risk": risk_of(ctx, asset)},
        url=f"/risk/assets/{asset.code}",
        more=_l("Scores of this asset"),
    )
