"""Until somebody answers: from the people on duty to the next, step by step.

A step announces an event, so that its messages are made like all others: at least once, and one
a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from apm.accounts.queries import colleagues
from apm.core.command import Context
from apm.core.permissions import ROLES, Permission, Role
from apm.notify.events import NobodyAnswered
from apm.notify.messages import News
from apm.notify.model import Escalation
from apm.notify.queries import own_policy
from apm.notify.subjects import on_duty


class Group(StrEnum):
    """Whom a step asks."""

    ON_DUTY = "on_duty"
    """the asset's team as the rota says, else its lead, else the engineers"""
    ENGINEERS = "engineers"
    MANAGERS = "managers"
    ADMINS = "admins"


ROLES_OF = {
    Group.ON_DUTY: frozenset({Role.ENGINEER}),
    Group.ENGINEERS: frozenset({Role.ENGINEER}),
    Group.MANAGERS: frozenset({Role.MANAGER}),
    Group.ADMINS: frozenset({Role.ADMIN}),
}
DEFAULT_CHAIN: list[dict[str, Any]] = [
    {"after": 10, "who": Group.ON_DUTY.value},
    {"after": 10, "who": Group.MANAGERS.value},
    {"after": 20, "who": Group.ADMINS.value},
]
"""Minutes after the step before, and who is asked then."""


def chain_of(ctx: Context) -> list[dict[str, Any]]:
    """Return the hospital's chain."""
    own = own_policy(ctx)
    return DEFAULT_CHAIN if own is None else own.chain


def escalate(
    ctx: Context,
    *,
    event_id: int,
    subject: str,
    news: News,
    chain: Sequence[Sequence[int]] | None = None,
) -> int | None:
    """Begin to ask the next people unless somebody answers; called within a command.

    Args:
        ctx: bound to the hospital.
        event_id: the event that began it; a repeat of it begins nothing new.
        subject: the number of the report or order; `settle` by this number ends it.
        news: what a further step says.
        chain: the ids of the people of each step; the hospital's minutes hold. None: by role.

    Returns the escalation's id for `commands.send`, None when there is nobody to ask.
    """
    known = ctx.session.scalar(select(Escalation).where(Escalation.event_id == event_id))
    if known is not None:
        return known.id
    steps = chain_of(ctx)
    if chain is not None:
        pauses = [step["after"] for step in steps] or [10]
        steps = [
            {"after": pauses[min(i, len(pauses) - 1)], "who": list(ids)}
            for i, ids in enumerate(chain)
        ]
    if not steps:
        return None
    begun = Escalation(
        event_id=event_id,
        subject=subject,
        kind=news.kind,
        params=news.params,
        url=news.url,
        chain=steps,
        step=0,
        began_at=ctx.now(),
        next_at=ctx.now() + timedelta(minutes=steps[0]["after"]),
    )
    ctx.session.add(begun)
    ctx.session.flush()
    return begun.id


def take_step(ctx: Context, escalation_id: int, now: datetime) -> bool:
    """Go on to the next people, if that is still due; called within a command."""
    found = _locked(ctx, escalation_id)
    if found is None or found.next_at is None or found.next_at > now:
        return False
    ctx.emit(NobodyAnswered(found.id, found.step))
    found.step += 1
    later = found.chain[found.step :]
    found.next_at = now + timedelta(minutes=later[0]["after"]) if later else None
    return True


def people_of(ctx: Context, found: Escalation, step: int) -> list[int]:
    """Return whom a step asks: those of the group who may triage now, or the people named."""
    who = found.chain[step]["who"]
    if isinstance(who, list):
        return [user.id for user in colleagues(ctx) if user.id in who]
    if who == Group.ON_DUTY and (there := on_duty(ctx, found.params.get("asset_id"))):
        return there
    roles = frozenset(r for r in ROLES_OF[Group(who)] if Permission.REQUEST_TRIAGE in ROLES[r])
    return [user.id for user in colleagues(ctx, roles)]


def answer(ctx: Context, escalation_id: int) -> None:
    """Somebody sees to it: end the escalation; called within a command."""
    found = _locked(ctx, escalation_id)
    if found is not None:
        _end(ctx, found)


def settle(ctx: Context, subject: str) -> None:
    """The report or order of this number was taken up: whoever did has answered."""
    query = select(Escalation).where(
        Escalation.subject == subject, Escalation.answered_at.is_(None)
    )
    for found in ctx.session.scalars(query):
        _end(ctx, found)


def _end(ctx: Context, found: Escalation) -> None:
    if found.answered_at is None:
        found.answered_at = ctx.now()
        found.answered_by = ctx.actor.user_id
        found.next_at = None


def _locked(ctx: Context, escalation_id: int) -> Escalation | None:
    query = select(Escalation).where(Escalation.id == escalation_id)
    return ctx.session.scalar(query.with_for_update().execution_options(populate_existing=True))
