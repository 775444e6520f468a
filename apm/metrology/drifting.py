"""How the measured values of each asset move over the years, and which will fail before long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, delete, select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import hospital_day
from apm.assets.model import GONE, Asset
from apm.core.command import Context, command
from apm.core.paging import Page, page_of
from apm.core.permissions import Permission
from apm.metrology.limits import ends
from apm.metrology.result_model import Drift
from apm.procedures.model import StepKind
from apm.work.model import WorkOrder, WorkStep
from apm.work.states import WorkState
from predict.drift import LEAST, Crossing, Trend, crossing, trend
from predict.errors import NotEnoughData

HORIZON = timedelta(days=3 * 365)
"""What reaches its limit later than this is no warning yet."""
FARTHEST = timedelta(days=100 * 365)
DAYS_A_YEAR = 365.25
EPOCH = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Series:
    """Everything one step measured on one asset, oldest first, and what it says."""

    asset_id: int
    key: str
    text: str
    text_zh: str
    unit: str | None
    set_point: str | None
    points: list[tuple[datetime, float]]
    low: float | None
    high: float | None
    trend: Trend | None
    crossing: Crossing | None

    @property
    def n(self) -> int:
        """How many measurements there are."""
        return len(self.points)

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]

    @property
    def needs(self) -> int:
        """How many measurements a trend needs."""
        return LEAST

    def is_drifting(self, today: date) -> bool:
        """Whether it surely moves to its limit, and gets there before long."""
        reached = self.crossing
        if reached is None or not reached.is_sure:
            return False
        return day_of(reached.expected) <= today + HORIZON


def years(at: datetime) -> float:
    """Return an instant as years since `EPOCH`."""
    return (at.date() - EPOCH).days / DAYS_A_YEAR + at.hour / 24 / DAYS_A_YEAR


def day_of(time: float) -> date:
    """Return the day of a time in years; what is too far off is cut to a century from `EPOCH`."""
    days = max(0.0, min(time * DAYS_A_YEAR, FARTHEST.days))
    return EPOCH + timedelta(days=round(days))


def series_of(ctx: Context, asset: Asset) -> list[Series]:
    """Return what was measured on one asset, step by step, in one statement."""
    return list(_series(ctx, _measured().where(WorkOrder.asset_id == asset.id)))


def _measured() -> Select[Any]:
    """Return the statement for everything measured in work that was signed."""
    return (
        select(
            WorkOrder.asset_id, WorkStep.key, WorkStep.value, WorkStep.text, WorkStep.text_zh,
            WorkStep.unit, WorkStep.tolerance, WorkStep.reference, WorkStep.reference_text,
            WorkOrder.done_at, WorkStep.answered_at,
        )
        .join(WorkOrder, WorkOrder.id == WorkStep.work_order_id)
        .where(
            WorkStep.kind == StepKind.MEASURE,
            WorkStep.value.is_not(None),
            WorkOrder.asset_id.is_not(None),
            WorkOrder.state.in_([WorkState.DONE, WorkState.CLOSED]),
        )
        .order_by(WorkOrder.asset_id, WorkStep.key, WorkOrder.done_at, WorkStep.id)
    )  # fmt: skip


def _series(ctx: Context, query: Select[Any]) -> Iterator[Series]:
    rows = ctx.session.execute(query.execution_options(yield_per=2000))
    for (asset_id, key), group in groupby(rows, key=lambda row: (row.asset_id, row.key)):
        yield _one(asset_id, key, list(group))


def _one(asset_id: int, key: str, rows: list[Row[Any]]) -> Series:
    points = sorted((row.answered_at or row.done_at, row.value) for row in rows)
    last = rows[-1]
    low, high = ends(last.tolerance, last.reference)
    line, reached = _projected(points, low, high)
    return Series(
        asset_id=asset_id,
        key=key,
        text=last.text,
        text_zh=last.text_zh,
        unit=last.unit,
        set_point=last.reference_text,
        points=points,
        low=low,
        high=high,
        trend=line,
        crossing=reached,
    )


def _projected(
    points: list[tuple[datetime, float]], low: float | None, high: float | None
) -> tuple[Trend | None, Crossing | None]:
    try:
        line = trend([years(at) for at, _value in points], [value for _at, value in points])
    except NotEnoughData:
        return None, None
    return line, crossing(line, low=low, high=high)


def compute_drifts(ctx: Context) -> int:
    """Look at every asset in use, and keep what drifts; return how many values do.

    The numbers are computed before the command, so that they hold no lock.
    """
    today = hospital_day(ctx)
    in_use = _measured().join(Asset, Asset.id == WorkOrder.asset_id)
    query = in_use.where(Asset.lifecycle.not_in(GONE))
    found = [_row(one) for one in _series(ctx, query) if one.is_drifting(today)]
    note_drifts(ctx, rows=found)
    return len(found)


def _row(one: Series) -> Mapping[str, Any]:
    if one.trend is None or one.crossing is None or one.crossing.latest is None:
        raise ValueError("only what drifts is kept")
    return {
        "asset_id": one.asset_id,
        "step_key": one.key,
        "text": one.text,
        "text_zh": one.text_zh,
        "unit": one.unit,
        "n": one.n,
        "last": one.last,
        "limit": one.crossing.limit,
        "slope": one.trend.slope,
        "slope_low": one.trend.low,
        "slope_high": one.trend.high,
        "crosses_on": day_of(one.crossing.expected),
        "earliest": day_of(one.crossing.earliest),
        "latest": day_of(one.crossing.latest),
    }


@command("drift.note", Permission.SYSTEM_RUN)
def note_drifts(ctx: Context, *, rows: list[Mapping[str, Any]]) -> None:
    """Put these in place of what was computed before."""
    ctx.session.execute(delete(Drift))
    ctx.bulk_insert(Drift, [{**row, "computed_at": ctx.now()} for row in rows])


def drift_page(ctx: Context, *, after: str | None = None, limit: int = 50) -> Page[Drift]:
    """Return what drifts, what fails first first."""
    query = select(Drift).options(joinedload(Drift.asset).joinedload(Asset.department))
    return page_of(ctx.session, query, by=[Drift.crosses_on, Drift.id], after=after, limit=limit)


def drifts_of(ctx: Context, asset: Asset) -> list[Drift]:
    """Return what drifts on one asset, as last computed."""
    query = select(Drift).where(Drift.asset_id == asset.id)
    return list(ctx.session.scalars(query.order_by(Drift.crosses_on)))
