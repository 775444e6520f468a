"""What belongs to a stretch of readings: alarms, work on the asset, and what is to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from apm.alarms.evidence import read_evidence
from apm.core.command import Context
from apm.detecting.queries import detector_state
from apm.detecting.trace import Band, Trace
from apm.forecasts.fan import Ahead, ahead_of
from apm.forecasts.fleet_model import Standing
from apm.forecasts.model import Forecast, ModelKind
from apm.forecasts.standing import standing_of_loaded
from apm.readings.model import Alarm, Sensor
from apm.work.model import WorkOrder
from apm.work.states import WorkState

MOST = 50
"""Alarms and orders shown beside one stretch: the newest."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is drawn on the axis of time of one sensor, the oldest first.

    bands: stretches of (instant, low, high) that the detector expected: lately, and around each
    alarm.  ahead: where a model at work sees the readings heading, within the stretch.
    """

    alarms: list[Alarm]
    orders: list[WorkOrder]
    bands: list[list[Band]]
    ahead: list[Ahead] = field(default_factory=list)


def timeline(ctx: Context, sensor: Sensor, *, start: datetime, end: datetime) -> Timeline:
    """Return what belongs to the time from start to end.  Four statements."""
    alarms = (
        select(Alarm)
        .where(
            Alarm.sensor_id == sensor.id,
            Alarm.since < end,
            or_(Alarm.ended_at.is_(None), Alarm.ended_at >= start),
        )
        .order_by(Alarm.since.desc(), Alarm.id.desc())
        .limit(MOST)
    )
    state = detector_state(ctx, sensor.id)
    found = list(ctx.session.scalars(alarms))[::-1]
    bands = [read_evidence(alarm).band for alarm in found]
    if state:
        bands.append(Trace.of(state.recent).band())
    shown = [[row for row in band if start <= row[0] < end] for band in bands]
    orders = _orders(ctx, sensor, start, end)
    ahead = [row for row in trend_of(ctx, sensor) if start <= row[0] <= end]
    return Timeline(
        found, orders, [band for band in shown if len(band) > 1], ahead if len(ahead) > 1 else []
    )


def trend_of(ctx: Context, sensor: Sensor) -> list[Ahead]:
    """Return where the readings of a sensor are heading, as a model at work sees it."""
    query = (
        select(Forecast)
        .options(joinedload(Forecast.model))
        .where(Forecast.sensor_id == sensor.id, Forecast.kind == ModelKind.TREND)
    )
    said = ctx.session.scalar(query)
    if said is None or standing_of_loaded(said) is not Standing.FORETOLD:
        return []
    return ahead_of(said)


def _orders(ctx: Context, sensor: Sensor, start: datetime, end: datetime) -> list[WorkOrder]:
    """Return the work on the sensor's asset, or in its room if it stands on none."""
    place = (
        WorkOrder.asset_id == sensor.asset_id
        if sensor.asset_id is not None
        else WorkOrder.location_id == sensor.location_id
    )
    until = func.coalesce(WorkOrder.done_at, WorkOrder.closed_at)
    query = (
        select(WorkOrder)
        .where(
            place,
            WorkOrder.state != WorkState.CANCELLED,
            WorkOrder.created_at < end,
            or_(until.is_(None), until >= start),
        )
        .order_by(WorkOrder.created_at.desc(), WorkOrder.id.desc())
        .limit(MOST)
    )
    return list(ctx.session.scalars(query))[::-1]
