"""Looking at the notices again whenever equipment is registered or described anew."""

from __future__ import annotations

from typing import Any

from apm.assets.events import AssetsDescribed
from apm.core.command import Context
from apm.core.events import subscribe
from apm.recalls.commands import match_assets


@subscribe(AssetsDescribed)
def look_again(ctx: Context, _event_id: int, payload: dict[str, Any]) -> None:
    """Note which open notices touch this equipment; a repeat does no harm."""
    match_assets(ctx, asset_ids=payload["asset_ids"])
