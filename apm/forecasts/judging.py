"""The rule by which a frozen forecast is judged: no database, no clock, only what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from apm.forecasts.model import Dismissal, Outcome
from apm.work.states import AsFound


class Kind(StrEnum):
    """What happened to equipment that bears on a forecast."""

    FAILURE = "failure"
    """A repair of a real fault began, or a sensor reached its limit."""
    FOUND = "found"
    """Planned work found a defect, or wear that would have led to one."""
    REPLACED = "replaced"
    """Planned work renewed a part, and nobody says that it was bad."""
    GONE = "gone"
    """Retired, lost or otherwise out of sight."""
    LOOKED = "looked"
    """Planned work found nothing."""
    CANNOT_TELL = "cannot_tell"
    """Planned work could not tell."""


RANK = {kind: i for i, kind in enumerate(Kind)}
"""Of what happened at one instant the first counts."""
ENDS = frozenset({Kind.FAILURE, Kind.FOUND, Kind.REPLACED, Kind.GONE})
"""What ends the time in which a forecast can come true."""
SOUND = frozenset({Dismissal.CHECKED_FINE, Dismissal.KNOWN_CAUSE, Dismissal.WRONG_DATA})
"""Dismissals that say there was nothing to warn of."""
BY_FINDING = {
    AsFound.DEFECT: Kind.FOUND,
    AsFound.WEAR: Kind.FOUND,
    AsFound.NOTHING: Kind.LOOKED,
    AsFound.CANNOT_TELL: Kind.CANNOT_TELL,
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened; `code` says how it is known, `order` by which work order.

    was_asked_for: somebody went because of a warning, whichever: work of the kind predictive.
    """

    kind: Kind
    at: datetime
    code: str
    order: str | None = None
    was_asked_for: bool = False


@dataclass(frozen=True, slots=True)
class Frozen:
    """What of a frozen forecast its judgement depends on."""

    at: datetime
    until: datetime
    warned: bool
    work_order_no: str | None = None
    dismissed_at: datetime | None = None
    dismissed_why: str | None = None
    was_passed: bool = False
    """A trend whose limit was passed already when it was made: nothing was foretold."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How it turned out, when that was clear, and how it is known."""

    outcome: Outcome
    at: datetime | None = None
    why: dict[str, Any] = field(default_factory=dict)


OPEN = Judgement(Outcome.OPEN)


def began_past_limit(record: Any) -> bool:
    """Tell whether a trend was made when its limit was passed already."""
    return record.sensor_id is not None and record.life_high == 0.0


def frozen_of(record: Any, until: datetime | None = None) -> Frozen:
    """Return what of a record its judgement depends on; `until`: of another horizon."""
    return Frozen(
        record.at,
        until or record.until,
        record.warned,
        record.work_order_no,
        record.dismissed_at,
        record.dismissed_why,
        began_past_limit(record),
    )


def judge(said: Frozen, happened: Sequence[Happening], now: datetime) -> Judgement:
    """Judge a forecast by what happened to its subject within its horizon.

    What ends the time in which it can come true decides, the earliest first: a failure makes it a
    hit or a miss; a finding of planned work averts a warning.  A part renewed without a finding,
    or equipment that is gone, is censoring: nobody can tell any more.  Only then counts that
    somebody looked and found nothing, because equipment that was looked at can still fail in time;
    and last the end of the horizon.  Whether a limit that was passed already will be is no
    forecast: neither right nor wrong.
    """
    found = _judged(said, happened, now)
    if said.was_passed and found.outcome is not Outcome.OPEN:
        return Judgement(Outcome.UNRESOLVED, found.at, {**found.why, "code": "limit_before"})
    return found


def _judged(said: Frozen, happened: Sequence[Happening], now: datetime) -> Judgement:
    until = min(said.until, now)
    within = [one for one in happened if said.at < one.at <= until]
    ending = min(
        (one for one in within if one.kind in ENDS),
        key=lambda one: (one.at, RANK[one.kind]),
        default=None,
    )
    if ending:
        return _ended(said, ending)
    if said.warned and (found := _looked(said, within)):
        return found
    if now < said.until:
        return OPEN
    outcome = Outcome.FALSE_ALARM if said.warned else Outcome.QUIET
    return Judgement(outcome, said.until, {"code": "horizon"})


def _ended(said: Frozen, one: Happening) -> Judgement:
    why = {"code": one.code, **({"order": one.order} if one.order else {})}
    if one.kind is Kind.FAILURE:
        return Judgement(Outcome.HIT if said.warned else Outcome.MISS, one.at, why)
    if one.kind is Kind.FOUND and said.warned:
        return Judgement(Outcome.AVERTED, one.at, why)
    return Judgement(Outcome.UNRESOLVED, one.at, why)


def _looked(said: Frozen, within: Sequence[Happening]) -> Judgement | None:
    """Return what a look at the equipment, or a dismissal, makes of a warning; None: nothing."""
    found = []
    for one in within:
        if not (one.was_asked_for or one.order == said.work_order_no):
            continue  # a routine visit that finds nothing does not answer the warning
        why = {"code": one.code, "order": one.order}
        if one.kind is Kind.LOOKED:
            found.append(Judgement(Outcome.FALSE_ALARM, one.at, why))
        if one.kind is Kind.CANNOT_TELL:
            found.append(Judgement(Outcome.UNRESOLVED, one.at, why))
    if said.dismissed_at and said.dismissed_why in SOUND:
        why = {"code": "dismissed", "reason": said.dismissed_why}
        found.append(Judgement(Outcome.FALSE_ALARM, said.dismissed_at, why))
    return min(found, key=lambda one: one.at or said.until, default=None)
