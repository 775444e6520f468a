"""From a warning to planned work: one order, ahead of the failure, never twice for one subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import zone_of
from apm.assets.model import Asset, Risk
from apm.core.chances import chance
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.i18n import _, speaking
from apm.core.many import among
from apm.core.permissions import Permission
from apm.forecasts.asof import IN_OPERATION
from apm.forecasts.costing import Floor
from apm.forecasts.foretold import Foretold
from apm.forecasts.model import (
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    ModelVersion,
    Outcome,
)
from apm.forecasts.wording import is_past_limit, work_by
from apm.maintenance.model import Plan, PlanTrigger, TriggerKind
from apm.maintenance.triggers import prediction_due
from apm.parts.queries import parts_for, standings
from apm.parts.reorder import ASSUMED_LEAD_DAYS
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkType

BOOKING_DAYS = 14
"""From the order to the work: booking a slot and somebody to do it."""
SOON_DAYS = 7
LAST_PARTS = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What one round of acting did: warnings that ask for work, and orders opened or joined."""

    warnings: int
    orders: int


def asks_for_work(kind: ModelKind, said: Foretold, floor: Floor) -> bool:
    """Tell whether a forecast is likely or near enough that planned work pays.

    Likely: the probability reaches the floor.  Near, for a trend alone: the low end of its
    interval comes within the days it takes to book the work.  An interval of a life says nothing
    of that sort: its low end is near for every unit that fails by chance.
    """
    probability = said.within(kind)
    if probability is None or not said.may_act:
        return False
    is_near = (
        kind is ModelKind.TREND and said.life_low is not None and (said.life_low <= BOOKING_DAYS)
    )
    return probability >= floor.probability or is_near


def tell_plans(ctx: Context, *, at: datetime, only: Sequence[int] | None = None) -> list[int]:
    """Tell the plans that listen to predictions what is foretold; return the plans due now."""
    listening = _listening(ctx, only)
    query = (
        select(Forecast.asset_id, Forecast.probabilities)
        .join(ModelVersion, ModelVersion.id == Forecast.model_version_id)
        .where(
            among(Forecast.asset_id, listening),
            Forecast.at == at,
            Forecast.needs.is_(None),
            ModelVersion.state == ModelState.ACTIVE,
        )
    )
    said: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for asset_id, probabilities in ctx.session.execute(query):
        said[asset_id] += [
            (likely, int(days))
            for days, likely in (probabilities or {}).items()
            if int(days) <= listening[asset_id]
        ]
    due: list[int] = []
    for asset_id, chances in sorted(said.items()):
        if not chances:
            continue
        likely, days = max(chances)
        why = _(
            "%(chance)s within %(days)s days, by the forecast of this equipment.",
            chance=chance(likely),
            days=days,
        )
        due += prediction_due(ctx, asset_id, likely, days, why)
    return due


def act(ctx: Context, *, at: datetime, only: Sequence[int] | None = None) -> Found:
    """Open work for each standing warning that has none; safe to repeat."""
    query = (
        select(ForecastRecord.id, ForecastRecord.asset_id)
        .join(ModelVersion, ModelVersion.id == ForecastRecord.model_version_id)
        .join(Asset, Asset.id == ForecastRecord.asset_id)
        .where(
            ForecastRecord.warned,
            ForecastRecord.outcome == Outcome.OPEN,
            ForecastRecord.at <= at,
            ForecastRecord.until > at,
            ForecastRecord.dismissed_at.is_(None),
            ForecastRecord.work_order_no.is_(None),
            ModelVersion.state == ModelState.ACTIVE,
            Asset.lifecycle.in_(IN_OPERATION),
        )
        .order_by(ForecastRecord.id)
    )
    if only is not None:
        query = query.where(ForecastRecord.asset_id.in_(only))
    waiting = [tuple(row) for row in ctx.session.execute(query)]
    listening = _listening(ctx, only) if waiting else {}
    orders = 0
    for record_id, asset_id in waiting:
        if asset_id not in listening:  # there the plan's own work follows, by its own floor
            orders += schedule(ctx, record_id=record_id) is not None
    return Found(len(waiting), orders)


@command("forecast.schedule", Permission.WORK_CREATE)
def schedule(ctx: Context, *, record_id: int) -> WorkOrder | None:
    """Open the planned work a frozen forecast asks for, or join the work that is open already.

    Safe to repeat: a record that has its order keeps it.  A person may do it for a forecast that
    does not warn.

    Returns:
        The order; None if the forecast was set aside meanwhile.
    """
    query = (
        select(ForecastRecord)
        .where(ForecastRecord.id == record_id)
        .options(
            joinedload(ForecastRecord.asset),
            joinedload(ForecastRecord.sensor),
            joinedload(ForecastRecord.model),
        )
        .with_for_update(of=ForecastRecord)
        .execution_options(populate_existing=True)
    )
    record = ctx.session.scalars(query).one()
    if record.dismissed_at is not None:
        return None
    titles = _titles(record)
    due = _due(ctx, record)
    order = open_work(
        ctx,
        type=WorkType.PREDICTIVE,
        asset=record.asset,
        title=titles["en"],
        title_zh=titles["zh"],
        priority=_priority(record),
        origin=f"forecast:{record.id}",
        evidence=evidence_of(ctx, record),
        due_on=due,
        late_after=due,
    )
    record.work_order_no = order.no
    return order


def evidence_of(ctx: Context, record: ForecastRecord) -> dict[str, Any]:
    """Return what the order keeps of a forecast (its asset, sensor and model are loaded)."""
    sensor = record.sensor
    return {
        "kind": "forecast",
        "record": record.id,
        "model": record.model.kind.value,
        "version": record.model.version,
        "asset": record.asset.code,
        "sensor": sensor.code if sensor else None,
        "unit": sensor.unit if sensor else "",
        "name": sensor.name if sensor else record.asset.name,
        "name_zh": sensor.name_zh if sensor else record.asset.name_zh,
        "at": record.at.isoformat(),
        "horizon_days": record.horizon_days,
        "probability": record.probability,
        "base_probability": record.base_probability,
        "life_median": record.life_median,
        "life_low": record.life_low,
        "life_high": record.life_high,
        "confidence": record.confidence,
        "drivers": record.drivers,
        "sentences": _spoken(record, _sentence),
        "parts": _parts(ctx, record.asset),
    }


def _titles(record: ForecastRecord) -> dict[str, str]:
    def title(name: str) -> str:
        if is_past_limit(record):
            return _("Check %(sensor)s: beyond its limit", sensor=name)
        if record.sensor_id is not None:
            return _("Check %(sensor)s: heading for its limit", sensor=name)
        return _("Check %(asset)s: a failure is likely soon", asset=name)

    own = record.sensor or record.asset
    found = {}
    for language, name in (("en", own.name), ("zh", own.name_zh or own.name)):
        with speaking(language):
            found[language] = title(name)
    return found


def _sentence(record: ForecastRecord) -> str:
    if is_past_limit(record):
        return _("Its limit is passed already.")
    likely = chance(record.probability)
    if record.life_median is None or record.life_low is None or record.life_high is None:
        return _(
            "A failure within %(days)s days has a probability of %(chance)s.",
            days=record.horizon_days, chance=likely,
        )  # fmt: skip
    return _(
        "Even odds in %(median)s days; %(sure)s %% between %(low)s and %(high)s days. Within "
        "%(days)s days the probability is %(chance)s.",
        median=round(record.life_median), low=round(record.life_low),
        high=round(record.life_high), sure=round(100 * (record.confidence or 0.0)),
        days=record.horizon_days, chance=likely,
    )  # fmt: skip


def _spoken(record: ForecastRecord, say: Any) -> dict[str, str]:
    found = {}
    for language in ("en", "zh"):
        with speaking(language):
            found[language] = say(record)
    return found


def _due(ctx: Context, record: ForecastRecord) -> date:
    zone = zone_of(ctx)
    return work_by(record, record.model.kind, zone, today=local_day(ctx.now(), zone))


def _priority(record: ForecastRecord) -> Priority:
    near = (
        record.life_low is not None
        and record.sensor_id is not None
        and (record.life_low <= SOON_DAYS)
    )
    return Priority.HIGH if record.asset.risk is Risk.HIGH or near else Priority.NORMAL


def _parts(ctx: Context, asset: Asset) -> list[dict[str, Any]]:
    """Return the spare parts that go into the equipment, and whether they are there."""
    parts = parts_for(ctx, asset)[:LAST_PARTS]
    stand = standings(ctx, [part.id for part in parts])
    return [
        {
            "number": part.number,
            "name": part.name,
            "name_zh": part.name_zh,
            "available": stand[part.id].available / 1000,
            "lead_days": ASSUMED_LEAD_DAYS if part.lead_days is None else part.lead_days,
        }
        for part in parts
    ]


def _listening(ctx: Context, only: Sequence[int] | None) -> dict[int, int]:
    """Return the assets with a plan that listens to predictions, and how far ahead it looks."""
    query = (
        select(Plan.asset_id, PlanTrigger.horizon_days)
        .join(PlanTrigger, PlanTrigger.plan_id == Plan.id)
        .where(Plan.is_active, PlanTrigger.kind == TriggerKind.PREDICTION)
    )
    if only is not None:
        query = query.where(Plan.asset_id.in_(only))
    found: dict[int, int] = {}
    for asset_id, horizon in ctx.session.execute(query):
        found[asset_id] = max(found.get(asset_id, 0), horizon or 0)
    return found
