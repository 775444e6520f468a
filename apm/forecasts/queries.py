"""Reading forecasts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.paging import Page, page_of
from apm.forecasts.model import Forecast, ModelKind

LOADED = joinedload(Forecast.asset), joinedload(Forecast.sensor), joinedload(Forecast.model)


def forecast_page(
    ctx: Context,
    *,
    kind: ModelKind | None = None,
    warns: bool | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Forecast]:
    """Return a page of forecasts, the heaviest first, with asset, sensor and model."""
    query = select(Forecast).options(*LOADED)
    if kind is not None:
        query = query.where(Forecast.kind == kind)
    if warns is not None:
        query = query.where(Forecast.warns.is_(warns))
    by = (Forecast.rank, Forecast.id)
    return page_of(ctx.session, query, by=by, after=after, limit=limit, descending=True)


def forecasts_of(ctx: Context, asset: Asset) -> list[Forecast]:
    """Return what is foretold of one asset, in one statement."""
    query = (
        select(Forecast)
        .where(Forecast.asset_id == asset.id)
        .options(*LOADED)
        .order_by(Forecast.kind, Forecast.sensor_id)
    )
    return list(ctx.session.scalars(query))
