"""The last changes of an asset, as a section of its page."""

from __future__ import annotations

from apm.accounts.audit_queries import AuditFilter, audit_page
from apm.assets.model import Asset
from apm.assets.panels import Panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission

SHOWN = 10


def history_panel(ctx: Context, asset: Asset) -> Panel:
    """Who changed what, the newest first; auditors get the whole trail."""
    entries = audit_page(ctx, AuditFilter("Asset", asset.id), limit=SHOWN)
    may_audit = ctx.actor.can(Permission.AUDIT_READ)
    return Panel(
        title=_l("History"),
        icon="clock",
        template="assets/_history.html",
        data={"entries": entries.items, "has_more": entries.next is not None},
        url=f"/admin/audit?entity=Asset&entity_id={asset.id}" if may_audit else "",
        more=_l("Whole trail") if may_audit else "",
    )
