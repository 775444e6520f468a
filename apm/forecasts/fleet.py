"""Reading the fleet: who is most at risk, filtered and counted, with the work that is planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import defer, joinedload

from apm.assets.model import Asset, Department, Risk
from apm.assets.search import search_for
from apm.core.command import Context
from apm.core.many import among
from apm.core.paging import Page, page_of
from apm.forecasts.fleet_model import Band, FleetEntry, Standing
from apm.forecasts.model import Forecast, ForecastRecord, ModelKind, Outcome
from apm.forecasts.standing import SLIM, standing_of_loaded
from apm.work.model import WorkOrder

is_told_by = and_(
    FleetEntry.asset_id == Forecast.asset_id,
    FleetEntry.kind == Forecast.kind,
    FleetEntry.sensor_id.is_not_distinct_from(Forecast.sensor_id),
)
"""An entry, and the forecast that speaks for its asset."""
FEW = 2000
"""So many found assets are named in the statement."""
STALE = timedelta(days=2)
"""Older forecasts are no guide any more: they are made every day."""


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """What the fleet is narrowed to: any of the values of each, all of the kinds."""

    standing: Standing = Standing.FORETOLD
    only_asking: bool = False
    """Only what asks for work."""
    q: str = ""
    department: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    kind: tuple[ModelKind, ...] = ()
    risk: tuple[Risk, ...] = ()
    band: tuple[Band, ...] = ()

    @property
    def of_all_standings(self) -> FleetFilter:
        """The same equipment, however it stands: for the counts beside the list."""
        return replace(self, only_asking=False, risk=(), band=())


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One asset of the list.

    record: the newest forecast of it that is frozen and not judged yet.
    order: the work that was opened for it.
    """

    entry: FleetEntry
    forecast: Forecast
    record: ForecastRecord | None
    order: WorkOrder | None


@dataclass(frozen=True, slots=True)
class FleetCounts:
    """How many assets there are by how they stand; `newest` is when they were last foretold."""

    standing: Counter[Standing] = field(default_factory=Counter)
    asking: int = 0
    cells: Counter[tuple[Risk, Band]] = field(default_factory=Counter)
    needs: Counter[str] = field(default_factory=Counter)
    newest: datetime | None = None

    def is_stale(self, now: datetime) -> bool:
        """Tell whether nothing was foretold for too long."""
        return self.newest is not None and now - self.newest > STALE

    @property
    def total(self) -> int:
        """All assets that somebody tried to say something about."""
        return self.standing.total()


def fleet_page(
    ctx: Context, wanted: FleetFilter, *, after: str | None = None, limit: int = 25
) -> Page[FleetRow]:
    """Return one page of the fleet, what matters most first.  Four statements, two to search."""
    query = _narrowed(ctx, select(FleetEntry).options(*_with_places()), wanted)
    by = [FleetEntry.rank, FleetEntry.id]
    page = page_of(ctx.session, query, by=by, after=after, limit=limit, descending=True)
    return Page(rows_of(ctx, page.items), page.next)


def rows_of(ctx: Context, entries: list[FleetEntry]) -> list[FleetRow]:
    """Return entries with what speaks for them.  Three statements."""
    if not entries:
        return []
    asset_ids = [entry.asset_id for entry in entries]
    forecasts = _forecasts(ctx, asset_ids)
    records = telling_by_subject(open_records(ctx, asset_ids))
    orders = orders_of(ctx, records.values())
    rows = []
    for entry in entries:
        subject = (entry.asset_id, entry.sensor_id, entry.kind)
        forecast = forecasts.get(subject)
        # What is arranged may be a moment older than what is foretold, or than a model's state.
        if forecast and standing_of_loaded(forecast) is entry.standing:
            record = records.get(subject)
            order = orders.get(record.work_order_no or "") if record else None
            rows.append(FleetRow(entry, forecast, record, order))
    return rows


def fleet_counts(ctx: Context, wanted: FleetFilter) -> FleetCounts:
    """Count the fleet, in one statement that reads one index."""
    keys = (
        FleetEntry.standing, FleetEntry.warns, FleetEntry.risk, FleetEntry.band, FleetEntry.needs,
    )  # fmt: skip
    query = select(*keys, func.count(FleetEntry.standing), func.max(FleetEntry.at)).group_by(*keys)
    query = _filtered(ctx, query, wanted.of_all_standings)
    counts = FleetCounts()
    newest = None
    for standing, warns, risk, band, needs, n, at in ctx.session.execute(query):
        counts.standing[standing] += n
        newest = max(newest or at, at)
        if standing is Standing.FORETOLD and band:
            counts.cells[risk, band] += n
        if needs:
            counts.needs[needs] += n
        counts = replace(counts, asking=counts.asking + (n if warns else 0), newest=newest)
    return counts


def asking_without_work(ctx: Context, *, most: int = 5) -> list[FleetRow]:
    """Return the assets that ask for work which nobody has planned or set aside."""
    query = (
        select(FleetEntry)
        .options(*_with_places())
        .where(FleetEntry.standing == Standing.FORETOLD, FleetEntry.warns)
        .order_by(FleetEntry.rank.desc(), FleetEntry.id.desc())
        .limit(4 * most)
    )
    rows = rows_of(ctx, list(ctx.session.scalars(query)))
    free = [r for r in rows if r.record is None or not (r.order or r.record.dismissed_at)]
    return free[:most]


def open_records(ctx: Context, asset_ids: Iterable[int]) -> list[ForecastRecord]:
    """Return the frozen forecasts of these assets that are not judged yet, oldest first.

    Those of a model that only tries itself out are not among them.
    """
    query = (
        select(ForecastRecord)
        # From the assets on: else the planner may prefer to read a whole hospital's rows.
        .join(Asset, Asset.id == ForecastRecord.asset_id)
        .options(joinedload(ForecastRecord.model).options(*SLIM))
        .where(
            Asset.id.in_(list(asset_ids)),
            ForecastRecord.outcome == Outcome.OPEN,
            ForecastRecord.was_shadow.is_(False),
        )
        .order_by(ForecastRecord.at, ForecastRecord.id)
    )
    return list(ctx.session.scalars(query))


Subject = tuple[int, int | None, ModelKind]
"""What a forecast is about: the asset, the sensor if it is its trend, and by which kind."""


def subject_of(forecast: Forecast) -> Subject:
    """Return what a forecast is about."""
    return forecast.asset_id, forecast.sensor_id, forecast.kind


def telling_by_subject(records: Iterable[ForecastRecord]) -> dict[Subject, ForecastRecord]:
    """Return the record about each thing that matters now; they come with their models.

    That is the one with work or a judgement of somebody, else one that warned, else the newest.
    """
    ordered = sorted(records, key=lambda one: (_is_handled(one), one.warned, one.at, one.id))
    return {(one.asset_id, one.sensor_id, one.model.kind): one for one in ordered}


def _is_handled(record: ForecastRecord) -> bool:
    return record.work_order_no is not None or record.dismissed_at is not None


def orders_of(ctx: Context, records: Iterable[ForecastRecord]) -> dict[str, WorkOrder]:
    """Return the work orders that forecasts opened, by number."""
    numbers = {record.work_order_no for record in records if record.work_order_no}
    if not numbers:
        return {}
    found = ctx.session.scalars(select(WorkOrder).where(WorkOrder.no.in_(numbers)))
    return {order.no: order for order in found}


def _with_places() -> tuple[Any, ...]:
    asset = joinedload(FleetEntry.asset)
    return asset.joinedload(Asset.department), asset.joinedload(Asset.location)


def _forecasts(ctx: Context, asset_ids: list[int]) -> dict[Subject, Forecast]:
    query = (
        select(Forecast)
        .join(Asset, Asset.id == Forecast.asset_id)
        .options(
            joinedload(Forecast.sensor),
            joinedload(Forecast.model).options(*SLIM),
            defer(Forecast.path),
        )
        .where(Asset.id.in_(asset_ids))
    )
    return {subject_of(forecast): forecast for forecast in ctx.session.scalars(query)}


def _narrowed(ctx: Context, query: Select[FleetEntry], wanted: FleetFilter) -> Select[FleetEntry]:
    query = query.where(FleetEntry.standing == wanted.standing)
    if wanted.only_asking:
        query = query.where(FleetEntry.warns)
    return _filtered(ctx, query, wanted)


def _filtered(
    ctx: Context, query: Select[*tuple[Any, ...]], wanted: FleetFilter
) -> Select[*tuple[Any, ...]]:
    for chosen, column in (
        (wanted.category, FleetEntry.category),
        (wanted.kind, FleetEntry.kind),
        (wanted.risk, FleetEntry.risk),
        (wanted.band, FleetEntry.band),
    ):
        if chosen:
            query = query.where(column.in_(chosen))
    if wanted.department:
        names = wanted.department
        named = or_(Department.name.in_(names), Department.name_zh.in_(names))
        query = query.where(FleetEntry.department_id.in_(select(Department.id).where(named)))
    if wanted.q:
        found = search_for(ctx, wanted.q).of(select(Asset.id))
        ids = list(ctx.session.scalars(found.limit(FEW + 1)))
        # Few are looked up one by one; else the database reads the whole fleet beside them.
        is_few = len(ids) <= FEW
        named = among(FleetEntry.asset_id, ids) if is_few else FleetEntry.asset_id.in_(found)
        query = query.where(named)
    return query
