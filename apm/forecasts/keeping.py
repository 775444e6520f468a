"""Keeping what was foretold: the present forecast of each subject, and the frozen ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from apm.assets.model import Risk
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.forecasts.foretold import CONFIDENCE, RECORD_DAYS, Foretold, Needs
from apm.forecasts.histories import Histories
from apm.forecasts.horizons import RANKED_DAYS, known_within, path_within, without
from apm.forecasts.model import Forecast, ForecastRecord, ModelKind, ModelState, Outcome
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from predict.pooled_life import LEAST_FAILURES

WEIGHT = {Risk.HIGH: 1.0, Risk.MEDIUM: 0.5, Risk.LOW: 0.2}
OVER = frozenset({WorkState.DONE, WorkState.CLOSED, WorkState.CANCELLED})
AT_ONCE = 500
Subject = tuple[int, int | None]
"""An asset and, for a trend, its sensor."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one version said of its subjects; `wanted`: which of them ask for work."""

    version_id: int
    version: int
    state: ModelState
    said: Sequence[Foretold]
    wanted: Sequence[bool]
    hides_interval: bool = False
    """Its intervals do not hold: they are frozen and judged on, but not shown."""
    muted: frozenset[int] = frozenset()
    """Horizons in days of which its chances do worse than the baseline: likewise."""


@dataclass(slots=True)
class _Frozen:
    """The records that still count: open ones of each version, and warnings in their horizon."""

    open: set[tuple[int, int, int | None]]
    warned: dict[Subject, bool]
    """Whether the last warning about a subject still stands: not set aside, its work not over."""
    due: set[Subject] = field(default_factory=set)
    """Of these every version is frozen now: versions are compared at the same moments alone."""


@command("forecast.keep", Permission.SYSTEM_RUN)
def keep(
    ctx: Context,
    *,
    kind: ModelKind,
    at: datetime,
    answers: Sequence[Answers],
    known: Histories,
    only: Sequence[int] | None = None,
) -> int:
    """Replace the forecasts of a kind and freeze those that are due; return how many are shown.

    Only an active model's numbers are shown; what shadow and muted ones say is frozen and judged,
    and nobody is asked to act on it.

    Args:
        ctx: whose hospital.
        kind: of model.
        at: the instant of the forecasts; a newer one that is there already stays.
        answers: of each version at work.
        known: the records they rest on.
        only: the assets that were asked about, or all.
    """
    frozen = _frozen(ctx, at)
    frozen.due = {
        (said.asset_id, said.sensor_id)
        for one in answers
        for said in one.said
        if (one.version_id, said.asset_id, said.sensor_id) not in frozen.open
    }
    rows: dict[Subject, dict[str, Any]] = {}
    for one in answers:
        is_active = one.state is ModelState.ACTIVE
        for said, wanted in zip(one.said, one.wanted, strict=True):
            warns = _freeze(ctx, kind, at, one, said, asks=wanted and is_active, frozen=frozen)
            if is_active:
                rows[said.asset_id, said.sensor_id] = _row(one, said, warns=warns)
    if not any(one.state is ModelState.ACTIVE for one in answers):
        rows = {(u.id, None): _missing(u.id, kind, answers, known) for u in known.running}
        if kind is not ModelKind.LIFE and not any(
            one.state is ModelState.MUTED for one in answers
        ):
            rows = {}  # one line an asset says that history is missing: that of its life
    risks = {unit.id: unit.risk for unit in known.units}
    newer = _cleared(ctx, kind, at, only)
    ctx.bulk_insert(
        Forecast,
        [
            {
                **row,
                "kind": kind,
                "at": at,
                "rank": rank_of(row["probabilities"], risks.get(row["asset_id"])),
            }
            for subject, row in rows.items()
            if subject not in newer
        ],
    )
    return sum(row["probabilities"] is not None for row in rows.values())


def _row(one: Answers, said: Foretold, *, warns: bool) -> dict[str, Any]:
    has_interval = said.life_low is not None and not one.hides_interval
    return {
        "asset_id": said.asset_id,
        "sensor_id": said.sensor_id,
        "model_version_id": one.version_id,
        "probabilities": without(said.probabilities, one.muted),
        "life_median": said.life_median,
        "life_low": said.life_low if has_interval else None,
        "life_high": said.life_high if has_interval else None,
        "confidence": CONFIDENCE if has_interval else None,
        "path": None if one.hides_interval else path_within(said, one.muted),
        "drivers": said.drivers,
        "needs": said.needs.as_plain() if said.needs else None,
        "warns": warns,
    }


def _missing(
    asset_id: int, kind: ModelKind, answers: Sequence[Answers], known: Histories
) -> dict[str, Any]:
    """Return a row that says why there is no number: too little history, unproven or muted."""
    newest = answers[-1] if answers else None
    if newest is None:
        needs = Needs("failures", known.failures, LEAST_FAILURES).as_plain()
    else:
        code = "muted" if newest.state is ModelState.MUTED else "unproven"
        needs = {"code": code, "kind": kind.value, "version": newest.version}
    return {
        "asset_id": asset_id, "sensor_id": None, "probabilities": None, "life_median": None,
        "life_low": None, "life_high": None, "confidence": None, "path": None, "drivers": [],
        "model_version_id": newest.version_id if newest else None, "needs": needs, "warns": False,
    }  # fmt: skip


def rank_of(probabilities: Mapping[str, float] | None, risk: Risk | None) -> float:
    """Return what a failure within 90 days would cost times its chance, 0..1.

    Where that chance is muted counts the one within the next shorter time: it is no higher.
    """
    _days, chance = known_within(probabilities, RANKED_DAYS)
    return round(chance * WEIGHT.get(risk or Risk.MEDIUM, 0.5), 5)


def _freeze(  # noqa: PLR0913  (each is one fact of the record)
    ctx: Context,
    kind: ModelKind,
    at: datetime,
    one: Answers,
    said: Foretold,
    *,
    asks: bool,
    frozen: _Frozen,
) -> bool:
    """Freeze a forecast if it is due, and tell whether it asks for work."""
    probability = said.within(kind)
    if probability is None:
        return False
    subject = (said.asset_id, said.sensor_id)
    stands = frozen.warned.get(subject)
    begins_to_warn = asks and stands is None
    key = (one.version_id, *subject)
    if begins_to_warn or subject in frozen.due:
        frozen.open.add(key)
        if begins_to_warn:
            frozen.warned[subject] = True
        horizon = RECORD_DAYS[kind]
        ctx.session.add(
            ForecastRecord(
                asset_id=said.asset_id,
                sensor_id=said.sensor_id,
                model_version_id=one.version_id,
                at=at,
                horizon_days=horizon,
                until=at + timedelta(days=horizon),
                probability=probability,
                probabilities=said.probabilities,
                base_probability=said.base,
                life_median=said.life_median,
                life_low=said.life_low,
                life_high=said.life_high,
                confidence=None if said.life_low is None else CONFIDENCE,
                drivers=said.drivers,
                warned=begins_to_warn,
                was_shadow=one.state is not ModelState.ACTIVE,
                outcome=Outcome.OPEN,
            )
        )
    return asks and stands is not False


def _frozen(ctx: Context, at: datetime) -> _Frozen:
    """Return what still counts, of every kind: two kinds do not both ask for one subject."""
    query = (
        select(
            ForecastRecord.model_version_id,
            ForecastRecord.asset_id,
            ForecastRecord.sensor_id,
            ForecastRecord.outcome,
            ForecastRecord.warned,
            ForecastRecord.dismissed_at,
            WorkOrder.state,
        )
        .outerjoin(WorkOrder, WorkOrder.no == ForecastRecord.work_order_no)
        .where(ForecastRecord.until > at, ForecastRecord.at <= at)
        .order_by(ForecastRecord.at, ForecastRecord.id)
    )
    found = _Frozen(set(), {})
    for version, asset, sensor, outcome, warned, dismissed, state in ctx.session.execute(query):
        if outcome is Outcome.OPEN:
            found.open.add((version, asset, sensor))
        if warned or dismissed is not None:
            found.warned[asset, sensor] = dismissed is None and state not in OVER
    return found


def _cleared(
    ctx: Context, kind: ModelKind, at: datetime, only: Sequence[int] | None
) -> set[Subject]:
    """Delete the forecasts that are replaced; return the subjects of newer ones, which stay."""
    newer: set[Subject] = set()
    for some in _chunks(only):
        of = [Forecast.kind == kind, *([Forecast.asset_id.in_(some)] if some else [])]
        query = select(Forecast.asset_id, Forecast.sensor_id).where(*of, Forecast.at > at)
        newer |= {(asset, sensor) for asset, sensor in ctx.session.execute(query)}
        ctx.session.execute(delete(Forecast).where(*of, Forecast.at <= at))
    return newer


def _chunks(ids: Sequence[int] | None) -> Iterable[Sequence[int] | None]:
    if ids is None:
        return [None]
    return [ids[k : k + AT_ONCE] for k in range(0, len(ids), AT_ONCE)]
