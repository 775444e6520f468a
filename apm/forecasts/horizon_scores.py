"""How right the chances of a model were at each horizon that pages show, when it was over.

A frozen forecast keeps all it said.  At each horizon it is judged by the same rule, from what
happened since: the horizon it stands by as the worker wrote it down, the others when the score is
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from apm.forecasts.happened import Happened
from apm.forecasts.judged import judged_of
from apm.forecasts.judging import BY_FINDING, OPEN, Happening, frozen_of, judge
from apm.forecasts.model import Outcome
from apm.forecasts.scoring import HorizonFigures, horizon_figures_of
from apm.work.states import AsFound


@dataclass(frozen=True, slots=True)
class AtHorizon:
    """What a frozen forecast said of one horizon and what came within it; named as its record."""

    asset_id: int
    sensor_id: int | None
    at: datetime
    until: datetime
    horizon_days: int
    probability: float
    base_probability: float
    warned: bool
    was_shadow: bool
    outcome: Outcome
    outcome_at: datetime | None
    outcome_why: dict[str, Any] | None


Story = Callable[[Any], Sequence[Happening]]
"""What happened to the subject of a record."""


def story_by(assets: Happened, sensors: Happened) -> Story:
    """Return what tells of a record what happened, with what people said later put right."""

    def of(record: Any) -> Sequence[Happening]:
        known = [*assets.get(record.asset_id, ()), *sensors.get(record.sensor_id or 0, ())]
        return put_right(record.outcome_why, known)

    return of


def put_right(why: Mapping[str, Any] | None, known: list[Happening]) -> list[Happening]:
    """Return what happened, with what somebody said later of an order in place of its record.

    Args:
        why: `ForecastRecord.outcome_why`.
        known: what happened to its subject.
    """
    said = (why or {}).get("said")
    if not said:
        return known
    found = AsFound(said["as_found"])
    kind, code = BY_FINDING[found], f"as_found_{found.value}"
    return [
        replace(one, kind=kind, code=code) if one.order == said["order"] else one for one in known
    ]


def at_horizon(rows: Sequence[Any], days: int, story: Story, now: datetime) -> list[Any]:
    """Return what the records among `rows` that spoke of a horizon said of it, judged by now."""
    found: list[Any] = []
    for row in rows:
        if row.horizon_days == days:
            found.append(row)
            continue
        chance = (row.probabilities or {}).get(str(days))
        if chance is None:
            continue
        until = row.at + timedelta(days=days)
        asked = frozen_of(row, until)
        # Not over yet: nothing is counted, so nothing is judged.
        how = judge(asked, story(row), now) if until <= now else OPEN
        # The baseline is a constant rate: what it said of one horizon it says of all.
        base = 1.0 - (1.0 - row.base_probability) ** (days / row.horizon_days)
        found.append(
            AtHorizon(
                row.asset_id, row.sensor_id, row.at, until, days, chance, base, row.warned,
                row.was_shadow, how.outcome, how.at, how.why,
            )
        )  # fmt: skip
    return found


def horizons_of(
    rows: Sequence[Any], before: Sequence[Any], own_days: int, story: Story, now: datetime
) -> tuple[HorizonFigures, ...]:
    """Return the figures of each horizon that was spoken of, the nearest first.

    A version taught anew every month is retired before a quarter of a year is over.  So where its
    own forecasts are too few to score a horizon, those of the versions at work before it count
    too: the same method, as people saw it.

    Args:
        rows: the frozen forecasts of one version.
        before: those that versions of the kind before it made while they were at work.
        own_days: the horizon the model is judged by; of it only its own count.
        story: what happened.
        now: the present.
    """
    spoken = {int(days) for row in rows for days in row.probabilities or ()} | {own_days}
    found = []
    for days in sorted(spoken):
        own = at_horizon(rows, days, story, now)
        figures = _figures(days, own, now, versions=1)
        if figures.skill is None and before and days != own_days:
            others = at_horizon(before, days, story, now)
            n = 1 + len({row.model_version_id for row in before})
            if others:
                figures = _figures(days, [*others, *own], now, versions=n)
        found.append(figures)
    return tuple(found)


def _figures(days: int, said: Sequence[Any], now: datetime, *, versions: int) -> HorizonFigures:
    waiting = sum(one.until > now for one in said)
    return horizon_figures_of(days, judged_of(said, now), waiting=waiting, versions=versions)
