"""The maintenance section of the asset page."""

from __future__ import annotations

from apm.accounts.queries import hospital_day
from apm.assets.model import GONE, Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.maintenance.lists import plans_of_asset
from apm.maintenance.queries import last_done
from apm.maintenance.reasons import every
from apm.procedures.shelf import templates_for


@panel(order=40, permission=Permission.PLAN_READ)
def plans_panel(ctx: Context, asset: Asset) -> Panel | None:
    """The plans of the asset: when they are due, when they were last done."""
    rows = plans_of_asset(ctx, asset.code).items
    if not rows and asset.lifecycle in GONE:
        return None
    may_add = ctx.actor.can(Permission.PLAN_EDIT) and asset.lifecycle not in GONE
    return Panel(
        title=_("Maintenance plans"),
        icon="calendar",
        template="maintenance/_asset_plans.html",
        data={
            "rows": rows,
            "last_done": last_done(ctx, [row.plan for row in rows]),
            "today": hospital_day(ctx),
            "templates": templates_for(ctx),
            "every": every,
        },
        url=f"/plans/new?asset={asset.code}" if may_add else "",
        more=_("Add a plan") if may_add else "",
    )
