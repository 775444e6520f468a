"""How a kind of model would have done on the hospital's own past, origin by origin.

At each origin a model is trained on the records as they stood then, asked, and judged by what came
later with the very rule and figures of the scorecard.  Beside it stand the same simple rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.forecasts.acting import asks_for_work
from apm.forecasts.costing import floor_of
from apm.forecasts.foretold import CONFIDENCE, HORIZONS, RECORD_DAYS, Foretold, Needs
from apm.forecasts.happened import limits_reached
from apm.forecasts.judged import judged_of
from apm.forecasts.judging import Frozen, began_past_limit, judge
from apm.forecasts.kinds import Taught, ask, material, train
from apm.forecasts.model import ModelKind, Outcome
from apm.forecasts.scorecard import BEGINNING, coverage_of, new_since, since_of, story_of
from apm.forecasts.scoring import Figures, figures_of
from predict.interval_score import Coverage

MOST_ORIGINS = 400


@dataclass(frozen=True, slots=True)
class Said:
    """What was foretold of one subject at an origin; named as the frozen forecasts are."""

    asset_id: int
    sensor_id: int | None
    at: datetime
    until: datetime
    horizon_days: int
    probability: float
    base_probability: float
    life_low: float | None
    life_high: float | None
    confidence: float | None
    warned: bool
    was_shadow: bool = False
    outcome: Outcome = Outcome.OPEN
    outcome_at: datetime | None = None
    outcome_why: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it.  untrained: origins with too little history, and what was missing."""

    kind: ModelKind
    horizon: int
    origins: int
    untrained: list[Needs]
    counts: dict[Outcome, int]
    figures: Figures
    coverage: Coverage | None


@dataclass(frozen=True, slots=True)
class Course:
    """Which origins are tried: from `start` to `end`, one every so many days."""

    start: datetime
    end: datetime
    every: int = 30
    horizon: int = 0
    """Days ahead; 0: what forecasts of the kind are judged by."""

    def origins(self, kind: ModelKind, now: datetime) -> list[datetime]:
        """Return the origins whose horizon is over.

        Raises:
            Invalid: none is, there are too many, or the horizon is not one that is foretold.
        """
        horizon = self.days(kind)
        last = min(self.end, now - timedelta(days=horizon))
        count = int((last - self.start) / timedelta(days=self.every)) + 1
        if last < self.start:
            message = _l("No horizon of that time is over yet. Begin earlier.")
            raise Invalid(message, fields={"from": [message]})
        if count > MOST_ORIGINS:
            message = _l("These are %(n)s origins. Leave more days between them.", n=count)
            raise Invalid(message, fields={"every": [message]})
        return [self.start + k * timedelta(days=self.every) for k in range(count)]

    def days(self, kind: ModelKind) -> int:
        """Return the horizon in days."""
        if self.horizon and self.horizon not in HORIZONS:
            known = ", ".join(str(days) for days in HORIZONS)
            message = _l("Foretold are %(days)s days. Choose one of them.", days=known)
            raise Invalid(message, fields={"horizon": [message]})
        return self.horizon or RECORD_DAYS[kind]


def backtest(
    ctx: Context,
    kind: ModelKind,
    course: Course,
    *,
    compute: str = "local",
    told: Callable[[datetime], None] = lambda _origin: None,
) -> Backtest:
    """Try a kind of model at every origin and return its score; `told` hears of each origin.

    Raises:
        Invalid: see `Course.origins`.
    """
    horizon = course.days(kind)
    said: list[Said] = []
    missing: list[Needs] = []
    tried = course.origins(kind, ctx.now())
    for origin in tried:
        found = foretold_at(ctx, kind, origin, horizon, compute)
        if isinstance(found, Needs):
            missing.append(found)
        else:
            said += found
        told(origin)
    return _scored(ctx, kind, horizon, len(tried), missing, said)


def foretold_at(
    ctx: Context, kind: ModelKind, at: datetime, horizon: int, compute: str = "local"
) -> list[Said] | Needs:
    """Train on what was known at an instant and return what it says of every subject then."""
    given = material(ctx, at, [kind])
    learnt = train(kind, given, compute)
    if isinstance(learnt, Needs):
        return learnt
    answers = ask(Taught(kind, learnt.parameters, learnt.artifact), given, compute)
    own_clock = ctx.now
    floor = floor_of(replace(ctx, now=lambda: at))
    replace(ctx, now=own_clock)  # the session's own clock again
    days = RECORD_DAYS[kind]
    return [
        Said(
            one.asset_id,
            one.sensor_id,
            at,
            at + timedelta(days=horizon),
            horizon,
            p,
            1.0 - (1.0 - one.base) ** (horizon / days),
            one.life_low,
            one.life_high,
            None if one.life_low is None else CONFIDENCE,
            asks_for_work(kind, one, floor),
        )
        for one in answers
        if (p := _within(one, horizon)) is not None
    ]


def _within(one: Foretold, horizon: int) -> float | None:
    return (one.probabilities or {}).get(str(horizon))


def _scored(
    ctx: Context,
    kind: ModelKind,
    horizon: int,
    origins: int,
    missing: list[Needs],
    said: Sequence[Said],
) -> Backtest:
    now = ctx.now()
    assets = {one.asset_id for one in said}
    story, new = story_of(ctx, assets), new_since(ctx, assets)
    sensors = {one.sensor_id for one in said if one.sensor_id is not None}
    reached = limits_reached(ctx, sensors, BEGINNING) if sensors else {}
    rows = []
    for one in said:
        happened = [*story.get(one.asset_id, ()), *reached.get(one.sensor_id or 0, ())]
        asked = Frozen(one.at, one.until, one.warned, was_passed=began_past_limit(one))
        found = judge(asked, happened, now)
        rows.append(
            replace(one, outcome=found.outcome, outcome_at=found.at, outcome_why=found.why)
        )
    known = judged_of(rows, now)
    counts = {each: sum(row.outcome is each for row in rows) for each in Outcome}
    return Backtest(
        kind,
        horizon,
        origins,
        missing,
        {each: n for each, n in counts.items() if n},
        figures_of(known, since_of(known, story, new)),
        coverage_of(rows, story, now),
    )


def plain(found: Backtest) -> dict[str, Any]:
    """Return a backtest as JSON has it."""
    return {
        "kind": found.kind.value,
        "horizon_days": found.horizon,
        "origins": found.origins,
        "origins_without_model": len(found.untrained),
        "needs": found.untrained[-1].as_plain() if found.untrained else None,
        "outcomes": {each.value: n for each, n in found.counts.items()},
        "n": found.figures.n,
        "failures": found.figures.events,
        "skill": _as_plain(found.figures.skill),
        "warnings": _as_plain(found.figures.warnings),
        "baselines": {name: _as_plain(one) for name, one in found.figures.baselines.items()},
        "reliability": [_as_plain(one) for one in found.figures.reliability],
        "coverage": _as_plain(found.coverage),
    }


def _as_plain(found: Any) -> Any:
    """Return a dataclass of figures as plain values, None as None."""
    if found is None or not hasattr(found, "__dataclass_fields__"):
        return found
    return {name: _as_plain(getattr(found, name)) for name in found.__dataclass_fields__}
