"""What people do with a forecast: let work be planned for it now, or set it aside and say why."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _, _l, speaking
from apm.core.permissions import Permission
from apm.forecasts.arranging import arrange
from apm.forecasts.fleet import open_records, subject_of
from apm.forecasts.model import (
    Dismissal,
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    Outcome,
)
from apm.forecasts.wording import work_by
from apm.teams.queries import zone_of
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.queries import hospital_day
from apm.work.states import Priority, WorkType


@command("forecast.dismiss", Permission.FORECAST_HANDLE)
def dismiss_forecast(
    ctx: Context, *, record_id: int, why: Dismissal, note: str | None = None
) -> ForecastRecord:
    """Set a forecast aside; until its horizon ends it asks for no work again.

    All of its open records are marked: they are one judgement.  Work that was opened stays; its
    page says who may call it off.

    Raises:
        NotFound: no such forecast here.
        Conflict: it is set aside already, or it is known how it turned out.
    """
    record = _record_to_change(ctx, record_id)
    if record.dismissed_at is not None:
        raise Conflict(_l("This forecast is set aside already. Reload the page."))
    for one in [record, *_of_the_same(ctx, record)]:
        one.dismissed_at, one.dismissed_by = ctx.now(), ctx.actor.name
        one.dismissed_why, one.dismissed_note = why.value, (note or "").strip() or None
    for forecast in _forecasts_of(ctx, record):
        forecast.warns = False
    arrange(ctx, [record.asset_id])
    return record


@command("forecast.schedule", Permission.FORECAST_HANDLE)
def schedule_forecast(ctx: Context, *, record_id: int) -> WorkOrder:
    """Open the work a forecast speaks for now, without waiting until it asks for it by itself.

    Open predictive work on the same equipment is joined.

    Raises:
        NotFound: no such forecast here.
        Conflict: it is set aside, has its work already, is of a model that may open none, or it
            is known how it turned out.
    """
    record = _record_to_change(ctx, record_id)
    if record.dismissed_at is not None:
        raise Conflict(
            _l("This forecast is set aside. Open a work order by hand if you need one.")
        )
    if record.work_order_no is not None:
        message = _l("Work order %(no)s is there for this forecast already. Open it.")
        raise Conflict(message, no=record.work_order_no)
    if record.model.state is not ModelState.ACTIVE:
        raise Conflict(_l("The model behind this forecast is not at work: it opens no work."))
    order = open_work(
        ctx,
        type=WorkType.PREDICTIVE,
        asset=record.asset,
        priority=Priority.NORMAL,
        origin=f"forecast:{record.id}",
        evidence=evidence_of(record),
        due_on=_due(ctx, record),
        **titles_of(record),
    )
    record.work_order_no = order.no
    ctx.session.flush()
    return order


def code_of(ctx: Context, record_id: int) -> str:
    """Return the code of the asset that a frozen forecast is about, or raise `NotFound`."""
    query = (
        select(Asset.code)
        .join(ForecastRecord, ForecastRecord.asset_id == Asset.id)
        .where(ForecastRecord.id == record_id)
    )
    code = ctx.session.scalar(query)
    if code is None:
        raise _no_such_forecast()
    return code


def titles_of(record: ForecastRecord) -> dict[str, str]:
    """Return what the work is called, in both languages."""
    titles = {}
    asset = record.asset
    for language, key in (("en", "title"), ("zh", "title_zh")):
        with speaking(language):
            name = (asset.name_zh or asset.name) if language == "zh" else asset.name
            titles[key] = _("Check before it fails: %(name)s", name=name)
    return titles


def evidence_of(record: ForecastRecord) -> dict[str, Any]:
    """Return a frozen forecast as plain JSON for its work order: figures, never sentences."""
    sensor = record.sensor
    return {
        "kind": "forecast",
        "record": record.id,
        "at": record.at.isoformat(),
        "model": {"kind": record.model.kind.value, "version": record.model.version},
        "sensor": sensor.code if sensor else None,
        "name": sensor.name if sensor else None,
        "name_zh": sensor.name_zh if sensor else None,
        "horizon_days": record.horizon_days,
        "probability": record.probability,
        "base_probability": record.base_probability,
        "life_median": record.life_median,
        "life_low": record.life_low,
        "life_high": record.life_high,
        "confidence": record.confidence,
        "drivers": record.drivers,
    }


def _due(ctx: Context, record: ForecastRecord) -> date:
    return work_by(record, zone_of(ctx), today=hospital_day(ctx))


def _record_to_change(ctx: Context, record_id: int) -> ForecastRecord:
    query = (
        select(ForecastRecord)
        .options(
            joinedload(ForecastRecord.model),
            joinedload(ForecastRecord.sensor),
            joinedload(ForecastRecord.asset).joinedload(Asset.department),
        )
        .where(ForecastRecord.id == record_id)
        .with_for_update(of=ForecastRecord)
        .execution_options(populate_existing=True)
    )
    record = ctx.session.scalar(query)
    if record is None or record.was_shadow:
        raise _no_such_forecast()
    if record.outcome is not Outcome.OPEN:
        raise Conflict(_l("It is known by now how this forecast turned out. Reload the page."))
    return record


def _no_such_forecast() -> NotFound:
    return NotFound(_l("There is no such forecast here. Look at the list of the fleet."))


def _of_the_same(ctx: Context, record: ForecastRecord) -> list[ForecastRecord]:
    subject = (record.asset_id, record.sensor_id, record.model.kind)
    return [
        one
        for one in open_records(ctx, [record.asset_id])
        if (one.asset_id, one.sensor_id, one.model.kind) == subject
        and one.dismissed_at is None
        and one.id != record.id
    ]


def _forecasts_of(ctx: Context, record: ForecastRecord) -> list[Forecast]:
    kind: ModelKind = record.model.kind
    query = select(Forecast).where(Forecast.asset_id == record.asset_id, Forecast.kind == kind)
    subject = (record.asset_id, record.sensor_id, kind)
    return [one for one in ctx.session.scalars(query) if subject_of(one) == subject]
