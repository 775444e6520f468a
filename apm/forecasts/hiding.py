"""Taking chances off the pages at once when their horizon is muted, not the night after."""

from __future__ import annotations

from sqlalchemy import select, update

from apm.assets.model import Asset
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.forecasts.horizons import muted_horizons, without
from apm.forecasts.keeping import rank_of
from apm.forecasts.model import Forecast, ModelVersion

AT_ONCE = 2000


@command("forecast.hide", Permission.SYSTEM_RUN)
def hide_muted(ctx: Context, *, version_id: int) -> int:
    """Take what a version may not show out of its present forecasts; return of how many.

    What is shown again comes with the next forecast.
    """
    version = ctx.session.get_one(ModelVersion, version_id)
    muted = muted_horizons(version)
    if not muted:
        return 0
    query = (
        select(Forecast.id, Forecast.probabilities, Asset.risk)
        .join(Asset, Asset.id == Forecast.asset_id)
        .where(Forecast.model_version_id == version_id, Forecast.probabilities.is_not(None))
        .order_by(Forecast.id)
    )
    changed = []
    for forecast_id, probabilities, risk in ctx.session.execute(query):
        left = without(probabilities, muted)
        if left != probabilities:
            row = {"id": forecast_id, "probabilities": left, "rank": rank_of(left, risk)}
            changed.append(row)
    for k in range(0, len(changed), AT_ONCE):
        ctx.session.execute(update(Forecast), changed[k : k + AT_ONCE])
    return len(changed)
