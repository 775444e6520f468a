"""What the page of an asset says about its use."""

from __future__ import annotations

from datetime import timedelta

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.utilisation.model import BreakState
from apm.utilisation.queries import breaks_of
from apm.utilisation.span import span_of
from apm.utilisation.use import asset_use

DAYS = 14


@panel(order=44, permission=Permission.READING_READ)
def use_panel(ctx: Context, asset: Asset) -> Panel | None:
    """The last two weeks of use, None if no sensor tells it."""
    today = hospital_day(ctx)
    use = asset_use(ctx, asset, span_of(ctx, first=today - timedelta(days=DAYS - 1), last=today))
    if not use.feeds:
        return None
    breaks = breaks_of(ctx, [feed.id for feed in use.feeds])
    waiting = [one for one in breaks if one.state is BreakState.OPEN]
    return Panel(
        _l("Use"),
        "clock",
        "utilisation/_asset_panel.html",
        {"use": use, "waiting": waiting},
        url=f"/assets/{asset.code}/use",
        more=_l("Use and energy"),
        tone="warn" if waiting else "",
    )
