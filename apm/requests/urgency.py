"""How soon a reported fault is looked at, and why: one table, and a person may decide otherwise.

The table is our own proposal, made of what a report and the register say: whether a patient is
affected, the risk class of the device, what the symptom may mean, where it stands, and whether
another one of its kind is at hand.  It looks at nothing a reporter did not say or see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select

from apm.assets.model import Asset, AssetState, Availability, Department, Risk
from apm.core.command import Context
from apm.core.i18n import _l
from apm.requests.model import Request
from apm.work.states import Priority

DAYS = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 3, Priority.LOW: 7}
"""Local days until a repair of this priority is due."""


class Fact(StrEnum):
    """What speaks for or against hurry."""

    HARM = "harm"
    PATIENT = "patient"
    HIGH_RISK = "high_risk"
    SEVERE = "severe"
    CRITICAL_AREA = "critical_area"
    SPARE = "spare"
    LOW_RISK = "low_risk"


WORDS = {
    Fact.HARM: _l("Somebody may have been harmed."),
    Fact.PATIENT: _l("A patient is affected."),
    Fact.HIGH_RISK: _l("The equipment is of high risk."),
    Fact.SEVERE: _l("The symptom may mean that it does not do its work."),
    Fact.CRITICAL_AREA: _l("It stands in intensive care, a theatre or emergency."),
    Fact.SPARE: _l("Another one is on standby in the same department."),
    Fact.LOW_RISK: _l("The equipment is of low risk."),
}
SEVERE = frozenset({"alarm", "flow", "output", "power", "temperature", "values"})
"""Symptoms after which a device may do nothing, or the wrong thing."""
CRITICAL_AREA = re.compile(
    r"\b(N|P|C|S|M)?ICU\b|intensive|theatre|operating|emergency|resuscitation|coronary care"
    r"|重症|监护|手术|急诊|抢救|麻醉|复苏",
    re.IGNORECASE,
)
"""Found in the name of a department, in either language: hospitals name these alike."""
RULES: tuple[tuple[frozenset[Fact], Priority], ...] = (
    (frozenset({Fact.HARM}), Priority.URGENT),
    (frozenset({Fact.PATIENT}), Priority.URGENT),
    (frozenset({Fact.HIGH_RISK, Fact.SEVERE}), Priority.URGENT),
    (frozenset({Fact.HIGH_RISK, Fact.CRITICAL_AREA}), Priority.URGENT),
    (frozenset({Fact.HIGH_RISK}), Priority.HIGH),
    (frozenset({Fact.SEVERE, Fact.CRITICAL_AREA}), Priority.HIGH),
    (frozenset({Fact.SEVERE}), Priority.NORMAL),
    (frozenset({Fact.LOW_RISK}), Priority.LOW),
    (frozenset(), Priority.NORMAL),
)
"""The first rule all of whose facts hold decides."""
ONE_LOWER = {
    Priority.URGENT: Priority.HIGH,
    Priority.HIGH: Priority.NORMAL,
    Priority.NORMAL: Priority.LOW,
    Priority.LOW: Priority.LOW,
}
"""With a spare at hand, and nobody harmed or affected."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A priority, and the facts it follows from, in the table's words."""

    priority: Priority
    facts: tuple[Fact, ...]


def judge(facts: frozenset[Fact]) -> Judgement:
    """Return the priority the table gives to these facts."""
    priority = next(priority for needed, priority in RULES if needed <= facts)
    if Fact.SPARE in facts and not facts & {Fact.HARM, Fact.PATIENT}:
        priority = ONE_LOWER[priority]
    return Judgement(priority, tuple(fact for fact in Fact if fact in facts))


def facts_of(
    request: Request, asset: Asset, *, department: Department | None, has_spare: bool
) -> frozenset[Fact]:
    """Return what holds of a report on an asset."""
    area = f"{department.name} {department.name_zh or ''}" if department else ""
    holds = {
        Fact.HARM: request.adverse_at is not None,
        Fact.PATIENT: request.patient_involved,
        Fact.HIGH_RISK: asset.risk is Risk.HIGH,
        Fact.SEVERE: request.symptom in SEVERE,
        Fact.CRITICAL_AREA: CRITICAL_AREA.search(area) is not None,
        Fact.SPARE: has_spare,
        Fact.LOW_RISK: asset.risk is Risk.LOW,
    }
    return frozenset(fact for fact, is_so in holds.items() if is_so)


def propose(ctx: Context, request: Request, asset: Asset) -> None:
    """Write the proposed priority and its reasons into a report, as things stand now."""
    department = ctx.session.get(Department, asset.department_id) if asset.department_id else None
    has_spare = _has_spare(ctx, asset)
    facts = facts_of(request, asset, department=department, has_spare=has_spare)
    judgement = judge(facts)
    request.priority = judgement.priority
    request.priority_reasons = [fact.value for fact in judgement.facts]


def _has_spare(ctx: Context, asset: Asset) -> bool:
    if asset.department_id is None:
        return False
    query = select(Asset.id).where(
        Asset.department_id == asset.department_id,
        Asset.category == asset.category,
        Asset.id != asset.id,
        Asset.lifecycle == AssetState.STANDBY,
        Asset.availability == Availability.UP,
    )
    return ctx.session.scalar(query.limit(1)) is not None


def priority_of(request: Request) -> Priority:
    """Return the priority a request is proposed with."""
    return request.priority or Priority.NORMAL


def reasons_of(request: Request) -> list[object]:
    """Return why, in words; empty when nothing speaks for or against hurry."""
    return [WORDS[Fact(code)] for code in request.priority_reasons or ()]


def time_for(priority: Priority) -> timedelta:
    """Return how long a repair of this priority may take."""
    return timedelta(days=DAYS[priority])
