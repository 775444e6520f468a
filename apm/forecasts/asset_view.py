"""All there is to say about the forecasts of one asset: what, why, how sure, how often right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.fleet import open_records, orders_of, subject_of, telling_by_subject
from apm.forecasts.fleet_model import Standing
from apm.forecasts.model import (
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelVersion,
    Outcome,
)
from apm.forecasts.standing import SLIM, standing_of_loaded
from apm.work.model import WorkOrder
from predict.proportion import wilson

FEWEST = 10
"""Judged warnings below which a share of them would say too little."""
RIGHT = frozenset({Outcome.HIT, Outcome.AVERTED})
LAST = 20
"""Frozen forecasts shown, the newest first."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How many warnings were judged, how many of these were right, and what came unwarned."""

    warned: int
    right: int
    missed: int = 0

    @property
    def is_telling(self) -> bool:
        """Whether there are enough of them to say anything."""
        return self.warned >= FEWEST

    @property
    def share(self) -> float:
        """The share that was right, of one warning at least."""
        return self.right / self.warned

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 90 % interval of that share."""
        return wilson(self.right, self.warned)


NO_RECORD = TrackRecord(0, 0)


@dataclass(frozen=True, slots=True)
class Foretold:
    """One forecast of an asset and what hangs on it.

    standing: whether its figures may be shown.
    record: its newest frozen form that is not judged yet; order: the work opened for it.
    track: of all warnings of this kind of model; own: of those about this equipment.
    """

    forecast: Forecast
    standing: Standing
    record: ForecastRecord | None
    order: WorkOrder | None
    track: TrackRecord
    own: TrackRecord


@dataclass(frozen=True, slots=True)
class AssetForecasts:
    """An asset's forecasts, what may be shown first; and how former ones turned out."""

    asset: Asset
    foretold: list[Foretold]
    past: list[ForecastRecord]


def forecasts_of(ctx: Context, asset: Asset) -> AssetForecasts:
    """Return an asset's forecasts with all that the page needs.  Six statements."""
    shown = told_of(ctx, asset)
    records = telling_by_subject(open_records(ctx, [asset.id]))
    orders = orders_of(ctx, records.values())
    tracks = track_records(ctx, {forecast.kind for forecast, _standing in shown})
    owns = track_records(ctx, tracks, asset)
    found = []
    for forecast, standing in shown:
        record = records.get(subject_of(forecast))
        order = orders.get(record.work_order_no or "") if record else None
        track = tracks.get(forecast.kind, NO_RECORD)
        own = owns.get(forecast.kind, NO_RECORD)
        found.append(Foretold(forecast, standing, record, order, track, own))
    return AssetForecasts(asset, found, _past(ctx, asset.id))


def told_of(ctx: Context, asset: Asset) -> list[tuple[Forecast, Standing]]:
    """Return an asset's forecasts and how they stand, what tells most first.  One statement."""
    shown = [
        (forecast, standing)
        for forecast in _forecasts(ctx, asset.id)
        if (standing := standing_of_loaded(forecast)) is not None
    ]
    return sorted(shown, key=_most_telling_first)


def track_records(
    ctx: Context, kinds: Iterable[ModelKind], asset: Asset | None = None
) -> dict[ModelKind, TrackRecord]:
    """Return how often the warnings of each kind of model were right, shadows left out.

    Of one asset, or of all.
    """
    query = (
        select(ModelVersion.kind, ForecastRecord.outcome, func.count(ForecastRecord.id))
        .join(ModelVersion, ModelVersion.id == ForecastRecord.model_version_id)
        .where(
            ModelVersion.kind.in_(list(kinds)),
            ForecastRecord.outcome.in_([*RIGHT, Outcome.FALSE_ALARM, Outcome.MISS]),
            ForecastRecord.was_shadow.is_(False),
        )
        .group_by(ModelVersion.kind, ForecastRecord.outcome)
    )
    if asset is not None:
        query = query.where(ForecastRecord.asset_id == asset.id)
    counted: dict[ModelKind, Counter[Outcome]] = defaultdict(Counter)
    for kind, outcome, n in ctx.session.execute(query):
        counted[kind][outcome] += n
    return {kind: _track(one) for kind, one in counted.items()}


def _track(counted: Counter[Outcome]) -> TrackRecord:
    right = sum(counted[outcome] for outcome in RIGHT)
    return TrackRecord(right + counted[Outcome.FALSE_ALARM], right, counted[Outcome.MISS])


def _most_telling_first(pair: tuple[Forecast, Standing]) -> tuple[int, bool, float, int]:
    forecast, standing = pair
    order = (Standing.FORETOLD, Standing.MUTED, Standing.NEEDS)
    return order.index(standing), not forecast.warns, -forecast.rank, forecast.id


def _forecasts(ctx: Context, asset_id: int) -> list[Forecast]:
    query = (
        select(Forecast)
        .options(joinedload(Forecast.sensor), joinedload(Forecast.model).options(*SLIM))
        .where(Forecast.asset_id == asset_id)
    )
    return list(ctx.session.scalars(query))


def _past(ctx: Context, asset_id: int) -> list[ForecastRecord]:
    query = (
        select(ForecastRecord)
        .options(
            joinedload(ForecastRecord.model).options(*SLIM), joinedload(ForecastRecord.sensor)
        )
        .where(ForecastRecord.asset_id == asset_id, ForecastRecord.was_shadow.is_(False))
        .order_by(ForecastRecord.at.desc(), ForecastRecord.id.desc())
        .limit(LAST)
    )
    return list(ctx.session.scalars(query))
