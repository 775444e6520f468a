"""What the pages of an asset and of a work order say about forecasts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.assets.panels import panel
from apm.core.command import Context
from apm.core.i18n import _l, choose
from apm.core.panels import Panel
from apm.core.permissions import Permission
from apm.forecasts.fan import fan_of
from apm.forecasts.fleet import is_told_by
from apm.forecasts.fleet_model import FleetEntry, Standing
from apm.forecasts.model import Forecast
from apm.forecasts.standing import standing_of_loaded
from apm.forecasts.wording import needs_words, sentence
from apm.forecasts.work_evidence import foretold_in
from apm.work.model import WorkOrder
from apm.work.sections import section


@panel(order=12, permission=Permission.FORECAST_READ)
def forecast_panel(ctx: Context, asset: Asset) -> Panel | None:
    """What is foretold of an asset, in one sentence; what is missing where it is nothing."""
    query = (
        select(Forecast)
        .join(FleetEntry, is_told_by)
        .options(joinedload(Forecast.sensor), joinedload(Forecast.model))
        .where(Forecast.asset_id == asset.id)
    )
    said = ctx.session.scalar(query)
    standing = standing_of_loaded(said) if said else None
    if said is None or standing is None:
        return None
    is_foretold = standing is Standing.FORETOLD
    data = {
        "standing": standing,
        "text": sentence(said, choose(asset.name, asset.name_zh)) if is_foretold else "",
        "fan": fan_of(ctx, said, None) if is_foretold else None,
        "needs": needs_words(said.needs) if standing is Standing.NEEDS else "",
        "at": said.at,
    }
    return Panel(
        _l("Forecast"),
        "chart",
        "forecasts/_asset_panel.html",
        data,
        url=f"/assets/{asset.code}/forecast",
        more=_l("Why, and how sure that is"),
        tone="warn" if is_foretold and said.warns else "",
    )


@section(order=17, permission=Permission.WORK_READ)
def forecast_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """The forecasts that asked for this work, as they stood then."""
    found = foretold_in(order)
    if not found:
        return None
    data: dict[str, Any] = {"foretold": found}
    may_read = order.asset is not None and ctx.actor.can(Permission.FORECAST_READ)
    return Panel(
        _l("Foretold"),
        "chart",
        "forecasts/_work_section.html",
        data,
        url=f"/assets/{order.asset.code}/forecast" if may_read and order.asset else "",
        more=_l("How the forecast stands now"),
    )
