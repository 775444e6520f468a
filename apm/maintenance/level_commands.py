"""Proposing level base dates for a hospital's plans, and taking them over."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from apm.accounts.queries import hospital_day, zone_of
from apm.core.command import Context, command
from apm.core.errors import Conflict
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.levelling import Movable, Move, Proposal, propose
from apm.maintenance.model import Plan, PlanMode
from apm.maintenance.workdays import workdays_in
from apm.maintenance.workload import Scope, departments_of, last_windows, minutes_of, planned
from apm.procedures.shelf import templates_for

LEAD = timedelta(days=14)
"""No plan is moved nearer than this: people have made up their minds about the next days."""
MOST = 5_000
"""Plans levelled at once: choose a department where there are more."""


@dataclass(frozen=True, slots=True)
class Levelled:
    """A proposal, what it rests on, and the mark by which it is taken over."""

    proposal: Proposal
    departments: list[str]
    plans: int
    is_cut: bool
    mark: str
    """Changes with every date: what is taken over is what was looked at."""


def levelled(ctx: Context, scope: Scope) -> Levelled:
    """Return level base dates for the fixed plans in scope that count by months."""
    today = hospital_day(ctx)
    fixed = [
        one for one in planned(ctx, scope, most=MOST + 1)
        if one.mode is PlanMode.FIXED and one.interval.months
    ]  # fmt: skip
    is_cut = len(fixed) > MOST
    fixed = fixed[:MOST]
    names = departments_of(ctx)
    column = {department_id: k for k, department_id in enumerate(names)}
    shelf, last = templates_for(ctx), last_windows(ctx, [one.plan_id for one in fixed])
    plans = []
    for one in fixed:
        free = today + LEAD + timedelta(days=one.early_days)
        if one.plan_id in last:  # two windows must not meet
            free = max(free, last[one.plan_id] + timedelta(days=one.early_days + 1))
        plans.append(
            Movable(
                one.plan_id, column[one.department_id], minutes_of(shelf.get(one.template_code)),
                one.interval.months, one.next_due, free,
            )
        )  # fmt: skip
    days = workdays_in(zone_of(ctx))
    made = propose(plans, today=today, groups=len(names), days=days)
    return Levelled(made, list(names.values()), len(plans), is_cut, _mark(made.moves))


@command("plan.level", Permission.PLAN_EDIT)
def level(ctx: Context, *, scope: Scope, mark: str) -> int:
    """Take over the proposed base dates; return how many plans have moved.

    Raises:
        Conflict: the plans have changed since the proposal was looked at.
    """
    found = levelled(ctx, scope)
    if found.mark != mark:
        raise Conflict(_l("The plans have changed meanwhile. Look at the new proposal."))
    moves = {move.plan_id: move for move in found.proposal.moves}
    query = (
        select(Plan)
        .where(Plan.id.in_(moves))
        .order_by(Plan.id)
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    )
    for plan in ctx.session.scalars(query):
        plan.anchor = plan.next_due = moves[plan.id].after
    return len(moves)


def _mark(moves: list[Move]) -> str:
    plain = [[m.plan_id, m.before.isoformat(), m.after.isoformat()] for m in moves]
    return hashlib.sha256(json.dumps(sorted(plain)).encode()).hexdigest()[:16]
