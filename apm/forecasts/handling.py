"""What people do with a forecast: let work be planned for it now, or set it aside and say why."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.forecasts.acting import schedule
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
from apm.work.model import WorkOrder


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


@command("forecast.plan", Permission.FORECAST_HANDLE)
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
    order = schedule(ctx, record_id=record.id)
    assert order is not None  # noqa: S101  (None says that it is set aside, which was looked at)
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


def _record_to_change(ctx: Context, record_id: int) -> ForecastRecord:
    query = (
        select(ForecastRecord)
        .options(joinedload(ForecastRecord.model))
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
