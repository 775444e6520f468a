"""How right the forecasts of a hospital were: one card for each version of a model.

Counted are frozen forecasts whose horizon is over, those of one subject only where they do not
overlap; every card is read and computed in a fixed number of statements per 5,000 devices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.costing import Floor, floor_of
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.happened import Happened, happened_to, limits_reached
from apm.forecasts.horizon_scores import horizons_of, story_by
from apm.forecasts.judged import Array, Judged, judged_of
from apm.forecasts.judging import ENDS, Kind
from apm.forecasts.model import ForecastRecord, ModelKind, ModelVersion, Outcome
from apm.forecasts.scoring import SEED, Figures, HorizonFigures, figures_of
from predict.errors import NotEnoughData
from predict.forecast_score import not_overlapping
from predict.interval_score import Coverage, Said, coverage

SPAN = timedelta(days=730)
"""Forecasts older than this no longer say how good a model is."""
AT_ONCE = 5000
COLUMNS = (
    "id", "asset_id", "sensor_id", "model_version_id", "at", "until", "horizon_days",
    "probability", "probabilities", "base_probability", "life_low", "life_high", "confidence",
    "warned", "was_shadow", "work_order_no", "dismissed_at", "dismissed_why", "outcome",
    "outcome_at", "outcome_why",
)  # fmt: skip
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Money:
    """What warnings saved or wasted, in minor units; mean costs of one order, and of how many.

    saved: averted * (failure - planned) - false_alarms * planned.  None: too few orders with a
    cost to know what they cost here.
    """

    averted: int
    false_alarms: int
    planned: float | None
    failure: float | None
    n_planned: int
    n_failures: int

    @property
    def saved(self) -> float | None:
        """The sum."""
        if self.planned is None or self.failure is None:
            return None
        gained = self.averted * (self.failure - self.planned)
        return gained - self.false_alarms * self.planned


@dataclass(frozen=True, slots=True)
class Card:
    """One version's score.  counts: its frozen forecasts by how they turned out so far.

    coverage: None with too few failures.  horizons: of its chances, the nearest first.
    """

    version: ModelVersion
    counts: dict[Outcome, int]
    figures: Figures
    coverage: Coverage | None
    money: Money
    horizons: tuple[HorizonFigures, ...] = ()

    @property
    def n_frozen(self) -> int:
        """All its frozen forecasts, judged or not."""
        return sum(self.counts.values())


def cards_of(ctx: Context, versions: Sequence[ModelVersion]) -> list[Card]:
    """Return a card for each version."""
    family = _family(ctx, {version.kind for version in versions})
    rows = rows_of(ctx, {version.id for version in versions} | family.keys())
    every = [row for own in rows.values() for row in own]
    known = Known(
        rows,
        family,
        story_of(ctx, {row.asset_id for row in every}),
        _limits(ctx, {row.sensor_id for row in every if row.sensor_id is not None}),
        ctx.now(),
    )
    own_rows = [row for version in versions for row in rows.get(version.id, ())]
    new = new_since(ctx, {row.asset_id for row in own_rows})
    floor = floor_of(ctx)
    return [card_of(version, known, new, floor) for version in versions]


@dataclass(frozen=True, slots=True)
class Known:
    """What cards are counted from.

    rows: frozen forecasts by version.  family: version id to kind and number, of all versions of
    the kinds concerned.  assets, sensors: what happened to them.
    """

    rows: dict[int, list[Any]]
    family: dict[int, tuple[ModelKind, int]]
    assets: Happened
    sensors: Happened
    now: datetime

    def before(self, version: ModelVersion) -> list[Any]:
        """Return what versions of the kind before this one foretold while they were at work."""
        return [
            row
            for version_id, (kind, number) in self.family.items()
            if kind is version.kind and number < version.version
            for row in self.rows.get(version_id, ())
            if not row.was_shadow
        ]


def _family(ctx: Context, kinds: Collection[ModelKind]) -> dict[int, tuple[ModelKind, int]]:
    query = select(ModelVersion.id, ModelVersion.kind, ModelVersion.version).where(
        ModelVersion.kind.in_(kinds)
    )
    return {row.id: (row.kind, row.version) for row in ctx.session.execute(query)}


def _limits(ctx: Context, sensors: Collection[int]) -> Happened:
    found: Happened = {}
    for some in parts_of(sensors):
        found.update(limits_reached(ctx, some, BEGINNING))
    return found


def rows_of(ctx: Context, version_ids: Collection[int]) -> dict[int, list[Any]]:
    """Return the frozen forecasts of versions in the last two years, as plain rows, by version."""
    query = (
        select(*(getattr(ForecastRecord, name) for name in COLUMNS))
        .where(
            ForecastRecord.model_version_id.in_(version_ids),
            ForecastRecord.at > ctx.now() - SPAN,
            ForecastRecord.at <= ctx.now(),
        )
        .order_by(ForecastRecord.at, ForecastRecord.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in ctx.session.execute(query):
        found[row.model_version_id].append(row)
    return found


def card_of(version: ModelVersion, read: Known, new: dict[int, date], floor: Floor) -> Card:
    """Return one card from what was read."""
    rows, now = read.rows.get(version.id, []), read.now
    known = judged_of(rows, now)
    figures = figures_of(known, since_of(known, read.assets, new))
    counts = Counter(row.outcome for row in rows)
    # Money was spent where somebody was asked to act: on warnings of the version at work.
    warned = Counter(row.outcome for row in rows if row.warned)
    money = Money(
        warned[Outcome.AVERTED],
        warned[Outcome.FALSE_ALARM],
        floor.planned,
        floor.failure,
        floor.n_planned,
        floor.n_failures,
    )
    own_days = rows[-1].horizon_days if rows else RECORD_DAYS[version.kind]
    story = story_by(read.assets, read.sensors)
    horizons = horizons_of(rows, read.before(version), own_days, story, now)
    kept = coverage_of(rows, read.assets, now)
    return Card(version, dict(counts), figures, kept, money, horizons)


def story_of(ctx: Context, assets: Collection[int]) -> Happened:
    """Return all that happened to assets, as far as the records go."""
    found: Happened = {}
    for some in parts_of(assets):
        found.update(happened_to(ctx, some, BEGINNING))
    return found


def parts_of(ids: Collection[int]) -> Iterator[list[int]]:
    """Return ids in parts that one statement can name."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def new_since(ctx: Context, assets: Collection[int]) -> dict[int, date]:
    """Return since when each asset is in use, where that is known."""
    began = func.coalesce(Asset.in_service_on, Asset.purchased_on)
    found: dict[int, date] = {}
    for some in parts_of(assets):
        query = select(Asset.id, began).where(Asset.id.in_(some), began.is_not(None))
        found.update((asset_id, day) for asset_id, day in ctx.session.execute(query))
    return found


def since_of(known: Judged, story: Happened, new: dict[int, date]) -> Array:
    """Return, for each forecast, the days since its asset last failed, else since it was new."""
    failed: dict[int, NDArray[np.float64]] = {}
    began: dict[int, float] = {}
    for asset_id in np.unique(known.asset).tolist():
        times = [_days(x.at) for x in story.get(asset_id, ()) if x.kind is Kind.FAILURE]
        failed[asset_id] = np.sort(np.array(times, np.float64))
        day = new.get(asset_id)
        began[asset_id] = _days(datetime.combine(day, time(), UTC)) if day else np.nan
    since = np.empty(known.n)
    for k, (asset_id, at) in enumerate(zip(known.asset.tolist(), known.at, strict=True)):
        own = failed[asset_id]
        before = int(np.searchsorted(own, at, side="right"))
        since[k] = at - (own[before - 1] if before else began[asset_id])
    return since


def coverage_of(rows: Sequence[Any], story: Happened, now: datetime) -> Coverage | None:
    """Return how often failures fell into the interval; those still running count for so long.

    All forecasts with an interval count, also those whose horizon runs: a life is censored where
    it was last seen, or where planned work ended it.
    """
    said = Counter(row.confidence for row in rows if row.confidence is not None)
    if not said:
        return None
    level = said.most_common(1)[0][0]
    some = [
        row
        for row in rows
        if row.confidence == level
        and row.life_low is not None
        and row.life_high is not None
        and row.life_high > row.life_low >= 0.0
    ]
    keys = [(row.asset_id, row.sensor_id or 0) for row in some]
    _, unit = np.unique(np.array(keys or [(0, 0)]), axis=0, return_inverse=True)
    begin = np.array([_days(row.at) for row in some])
    keep = not_overlapping(unit.ravel()[: len(some)], begin, begin + _horizons(some))
    some = [row for row, kept in zip(some, keep, strict=True) if kept]
    ended = [_end(row, story, now) for row in some]
    known = Said(
        np.array([row.life_low for row in some], np.float64),
        np.array([row.life_high for row in some], np.float64),
        np.array([days for days, _failed in ended], np.float64),
        np.array([failed for _days_, failed in ended], np.bool_),
        np.array([row.asset_id for row in some], np.int64),
    )
    try:
        return coverage(known, level, np.random.default_rng(SEED))
    except NotEnoughData:
        return None


def _horizons(rows: Sequence[Any]) -> Array:
    return np.array([row.horizon_days for row in rows], np.float64)


def _end(row: Any, story: Happened, now: datetime) -> tuple[float, bool]:
    """Return the days from a forecast to the end of that life, and whether it failed then."""
    if (
        row.sensor_id is not None
        and row.outcome_at
        and (row.outcome_why or {}).get("code") == "limit"
    ):
        return _days(row.outcome_at) - _days(row.at), True
    after = [x for x in story.get(row.asset_id, ()) if row.at < x.at <= now and x.kind in ENDS]
    if not after:
        return max(0.0, _days(now) - _days(row.at)), False
    first = min(after, key=lambda x: x.at)
    return _days(first.at) - _days(row.at), first.kind is Kind.FAILURE


def _days(at: datetime) -> float:
    return at.timestamp() / 86400.0
