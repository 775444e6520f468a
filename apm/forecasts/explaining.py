"""Why a forecast says what it says: what each fact adds, the past cases like it, what fails.

A life is explained here, by arithmetic; of the others is read what the worker kept
(`why_keeping`).  The words are made where they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.asset_view import told_of
from apm.forecasts.blaming import Blame, blame_life
from apm.forecasts.cases import Cases, cases_of, past_of, peers_of
from apm.forecasts.components import Components, components_of
from apm.forecasts.fleet_model import Standing
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.histories import Histories
from apm.forecasts.horizons import muted_horizons
from apm.forecasts.model import Forecast, ModelKind
from apm.forecasts.moments import Moments, labels
from apm.forecasts.trend_cases import TrendCases, trend_cases
from apm.forecasts.why_model import ForecastWhy

MOST_TRENDS = 3
"""Sensors explained: those that matter most."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One forecast, explained.

    at: as of when: of a forecast that is not explained yet, the one before it; None: none is.
    blame: None where nothing speaks for it, or nothing is known any more.  cases: None where no
    past situation can be judged yet.
    """

    forecast: Forecast
    at: datetime | None
    blame: Blame | None = None
    cases: Cases | TrendCases | None = None

    @property
    def is_current(self) -> bool:
        """Whether it is this forecast that is explained."""
        return self.at == self.forecast.at


@dataclass(frozen=True, slots=True)
class Explanation:
    """All forecasts of an asset, explained, and what fails in equipment like it."""

    asset: Asset
    explained: list[Explained]
    components: Components | None


def explanation_of(ctx: Context, asset: Asset) -> Explanation:
    """Explain the forecasts that may be shown, from the records as of their instant."""
    shown = [said for said, standing in told_of(ctx, asset) if standing is Standing.FORETOLD]
    trends = [said for said in shown if said.kind is ModelKind.TREND][:MOST_TRENDS]
    wanted = [said for said in shown if said.kind is not ModelKind.TREND or said in trends]
    if not wanted:
        return Explanation(asset, [], None)
    kept = _kept(ctx, asset)
    lived = _Lived(ctx, asset)
    explained = [
        _trend(ctx, said, kept) if said.kind is ModelKind.TREND else _events(said, kept, lived)
        for said in wanted
    ]
    return Explanation(asset, explained, components_of(ctx, asset, wanted[0].at))


@dataclass(slots=True)
class _Lived:
    """The records of equipment like one's, read once for all its forecasts of one instant."""

    ctx: Context
    asset: Asset
    at: datetime | None = None
    known: Histories | None = None
    past: Moments | None = None

    def of(self, said: Forecast) -> tuple[Histories, Moments]:
        """Return the records as of a forecast, and their moments labelled for its horizon."""
        days = RECORD_DAYS[said.kind]
        if self.at != said.at or self.known is None or self.past is None:
            self.at, self.known = said.at, peers_of(self.ctx, self.asset, said.at)
            self.past = past_of(self.known, days)
            return self.known, self.past
        return self.known, replace(self.past, label=labels(self.known, self.past, days))


def _kept(ctx: Context, asset: Asset) -> dict[tuple[ModelKind, int | None], ForecastWhy]:
    rows: Sequence[ForecastWhy] = ctx.session.scalars(
        select(ForecastWhy).where(ForecastWhy.asset_id == asset.id)
    ).all()
    return {(row.kind, row.sensor_id): row for row in rows}


def _events(
    said: Forecast, kept: dict[tuple[ModelKind, int | None], ForecastWhy], lived: _Lived
) -> Explained:
    known, past = lived.of(said)
    unit = next((unit for unit in known.units if unit.id == said.asset_id), None)
    if unit is None:
        return Explained(said, None)
    cases = cases_of(lived.ctx, unit, known, past, RECORD_DAYS[said.kind])
    if said.kind is ModelKind.LIFE:
        blame = blame_life(said.model, unit, known.now) if said.model else None
        return Explained(said, said.at, blame, cases)
    row = kept.get((said.kind, None))
    blame = Blame.of(row.blame) if row and row.blame else None
    return Explained(said, row.at if row else None, blame, cases)


def _trend(
    ctx: Context, said: Forecast, kept: dict[tuple[ModelKind, int | None], ForecastWhy]
) -> Explained:
    row = kept.get((said.kind, said.sensor_id))
    if row is None:
        return Explained(said, None)
    blame = Blame.of(row.blame) if row.blame else None
    if blame and blame.days in muted_horizons(said.model):
        blame = None  # the chance it explains is not shown
    return Explained(
        said,
        row.at,
        blame,
        trend_cases(ctx, row.cases, row.at) if row.cases else None,
    )
