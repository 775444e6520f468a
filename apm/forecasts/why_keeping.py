"""The worker's part of explaining: what takes a model or many readings is worked out beforehand.

Each forecast that may be shown is explained once, from the records as of its instant: what warns
first, then what ranks highest.  Stopped half-way, the next run goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import and_, delete, select

from apm.assets.model import Asset
from apm.core.command import Context, command
from apm.core.many import among
from apm.core.permissions import Permission
from apm.forecasts.artifact import Unreadable
from apm.forecasts.asof import IN_OPERATION
from apm.forecasts.blaming import blame_soon, blame_trend
from apm.forecasts.courses import Course, courses
from apm.forecasts.histories import histories
from apm.forecasts.model import Forecast, ModelKind, ModelState, ModelVersion
from apm.forecasts.trend_cases import Past, nearest_courses, past_courses
from apm.forecasts.why_model import ForecastWhy
from apm.readings.model import Sensor

AT_ONCE = 500
KINDS = (ModelKind.TREND, ModelKind.SOON)
"""A life is explained by arithmetic alone, when somebody asks."""
Alike = tuple[str, str, str]
"""What sensors have in common whose courses are compared: category, quantity, unit."""


@dataclass(frozen=True, slots=True)
class Due:
    """A forecast to be explained."""

    asset_id: int
    kind: ModelKind
    sensor_id: int | None
    model_version_id: int
    at: datetime
    life_median: float | None
    alike: Alike


@dataclass(frozen=True, slots=True)
class Worked:
    """An explanation to be kept, of which forecast; empty where its records are gone."""

    due: Due
    blame: dict[str, Any] | None = None
    cases: dict[str, Any] | None = None


def explain_due(ctx: Context) -> int:
    """Explain the forecasts that are not explained yet; return how many were."""
    done = 0
    for (kind, at), some in _due(ctx).items():
        work = _trends if kind is ModelKind.TREND else _soon
        for worked in work(ctx, at, some):
            done += keep_whys(ctx, kind=kind, worked=worked)
    return done


@command("forecast.explain", Permission.SYSTEM_RUN)
def keep_whys(ctx: Context, *, kind: ModelKind, worked: Sequence[Worked]) -> int:
    """Keep explanations in place of those of the same subjects; return how many."""
    subjects = (
        among(ForecastWhy.sensor_id, [one.due.sensor_id or 0 for one in worked])
        if kind is ModelKind.TREND
        else among(ForecastWhy.asset_id, [one.due.asset_id for one in worked])
    )
    ctx.session.execute(delete(ForecastWhy).where(ForecastWhy.kind == kind, subjects))
    rows = [
        {
            "asset_id": one.due.asset_id,
            "kind": kind,
            "sensor_id": one.due.sensor_id,
            "model_version_id": one.due.model_version_id,
            "at": one.due.at,
            "blame": one.blame,
            "cases": one.cases,
        }
        for one in worked
    ]
    ctx.bulk_insert(ForecastWhy, rows)
    return len(rows)


def _due(ctx: Context) -> dict[tuple[ModelKind, datetime], list[Due]]:
    """Return what is not explained yet, by kind and instant: what warns first."""
    explained = and_(
        ForecastWhy.asset_id == Forecast.asset_id,
        ForecastWhy.kind == Forecast.kind,
        ForecastWhy.sensor_id.is_not_distinct_from(Forecast.sensor_id),
        ForecastWhy.model_version_id == Forecast.model_version_id,
        ForecastWhy.at == Forecast.at,
    )
    query = (
        select(
            Forecast.asset_id, Forecast.kind, Forecast.sensor_id, Forecast.model_version_id,
            Forecast.at, Forecast.life_median, Asset.category, Sensor.quantity, Sensor.unit,
        )
        .join(Asset, Asset.id == Forecast.asset_id)
        .join(ModelVersion, ModelVersion.id == Forecast.model_version_id)
        .outerjoin(Sensor, Sensor.id == Forecast.sensor_id)
        .outerjoin(ForecastWhy, explained)
        .where(
            Forecast.kind.in_(KINDS),
            Forecast.probabilities.is_not(None),
            ModelVersion.state == ModelState.ACTIVE,
            ForecastWhy.id.is_(None),
        )
        .order_by(Forecast.warns.desc(), Forecast.rank.desc(), Forecast.id)
    )  # fmt: skip
    found: dict[tuple[ModelKind, datetime], list[Due]] = defaultdict(list)
    for row in ctx.session.execute(query):
        alike = row.category, row.quantity or "", row.unit or ""
        due = Due(
            row.asset_id, row.kind, row.sensor_id, row.model_version_id, row.at, row.life_median,
            alike,
        )  # fmt: skip
        found[due.kind, due.at].append(due)
    return found


def _soon(ctx: Context, at: datetime, some: Sequence[Due]) -> Iterator[list[Worked]]:
    version = ctx.session.get_one(ModelVersion, some[0].model_version_id)
    for k in range(0, len(some), AT_ONCE):
        part = some[k : k + AT_ONCE]
        known = histories(ctx, at, [due.asset_id for due in part])
        try:
            said = blame_soon(version, known.units, known.now)
        except Unreadable:
            return  # the next night retires the model and trains anew; the page says so
        blames = {unit.id: asdict(one) for unit, one in zip(known.units, said, strict=True)}
        yield [Worked(due, blames.get(due.asset_id)) for due in part]


def _trends(ctx: Context, at: datetime, some: Sequence[Due]) -> Iterator[list[Worked]]:
    version = ctx.session.get_one(ModelVersion, some[0].model_version_id)
    wanted: dict[Alike, list[Due]] = defaultdict(list)
    for due in some:
        wanted[due.alike].append(due)
    sensors = _sensors_alike(ctx, set(wanted))
    for alike, dues in wanted.items():
        own = sensors.get(alike, {})
        running = dict.fromkeys(own.values(), (alike[0], False))
        running |= {due.asset_id: (alike[0], False) for due in dues}
        read = {one.sensor_id: one for one in courses(ctx, at, running)}
        past = past_courses([read[sensor_id] for sensor_id in own if sensor_id in read])
        for due in dues:
            course = read.get(due.sensor_id or 0)
            yield [_trend(version, due, course, past) if course else Worked(due)]


def _trend(version: ModelVersion, due: Due, course: Course, past: Past) -> Worked:
    cases = nearest_courses(course, past)
    if due.life_median is None:  # no stretch speaks for a limit that it does not head for
        return Worked(due, None, cases)
    return Worked(due, asdict(blame_trend(version.parameters, course, due.life_median)), cases)


def _sensors_alike(ctx: Context, sorts: Collection[Alike]) -> dict[Alike, dict[int, int]]:
    """Return the sensors on equipment in operation of each sort, and what each is on."""
    query = (
        select(Asset.category, Sensor.quantity, Sensor.unit, Sensor.id, Asset.id)
        .join(Asset, Asset.id == Sensor.asset_id)
        .where(
            Asset.category.in_({category for category, _quantity, _unit in sorts}),
            Asset.lifecycle.in_(IN_OPERATION),
        )
        .order_by(Asset.category, Sensor.quantity, Sensor.unit, Sensor.id)
    )
    rows = ctx.session.execute(query)
    return {
        key: {sensor_id: asset_id for *_sort, sensor_id, asset_id in own}
        for key, own in groupby(rows, key=lambda row: (row[0], row[1], row[2]))
        if key in sorts
    }
