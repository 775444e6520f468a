"""To whom a job goes: its team, who is proposed, and who may have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from apm.assets.model import Asset, Location, Risk
from apm.core.command import Actor, Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.teams.model import Level, Team
from apm.teams.queries import Staff, staff_of
from apm.teams.routing import Candidate, team_for
from apm.teams.wording import category_name
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkState


def team_of(known: Sequence[Team], asset: Asset | None, location: Location | None) -> int | None:
    """Return the id of the one of these teams that work on an asset or in a place belongs to."""
    department = asset.department_id if asset else location.department_id if location else None
    found = team_for(
        known,
        category=asset.category if asset else None,
        department_id=department,
    )
    return found.id if found else None


def open_orders(ctx: Context) -> dict[int, int]:
    """Return how many orders each person has still to finish."""
    query = (
        select(WorkOrder.assignee_id, func.count(WorkOrder.id))
        .where(
            WorkOrder.state.in_(OPEN_WORK - {WorkState.DONE}), WorkOrder.assignee_id.is_not(None)
        )
        .group_by(WorkOrder.assignee_id)
    )
    return {user_id: n for user_id, n in ctx.session.execute(query) if user_id is not None}


def staff_with_load(ctx: Context) -> Staff:
    """Return the people who work, and how much each has to do."""
    return staff_of(ctx, open_orders(ctx))


def candidates_for(staff: Staff, order: WorkOrder) -> list[Candidate]:
    """Return who an order (its asset loaded) may go to, the best first."""
    return staff.candidates(_category(order), order.team_id)


def _category(order: WorkOrder) -> str | None:
    return order.asset.category if order.asset else None


def needs_competence(staff: Staff, order: WorkOrder) -> bool:
    """Tell whether competence is asked for: high risk, and competence is recorded for its kind.

    A hospital that has recorded nobody's competence for a category yet has nothing to compare
    with; it is not kept from working.
    """
    category = _category(order)
    is_high = order.high_risk or (order.asset is not None and order.asset.risk is Risk.HIGH)
    return is_high and category in staff.kept_categories


def is_fit(staff: Staff, order: WorkOrder, one: Candidate) -> bool:
    """Tell whether somebody may have an order without anybody's confirmation."""
    return not needs_competence(staff, order) or one.level is Level.ALONE


def fit_assignee(
    ctx: Context, order: WorkOrder, user_id: int, *, is_confirmed: bool, reason: str | None
) -> Mapping[str, Any]:
    """Return what speaks for this person, to be kept with the order.

    Raises:
        Invalid: the equipment is of high risk and they have no valid competence for it, and
            nobody who may assign work has confirmed that, with a reason.
    """
    staff = staff_with_load(ctx)
    person = next(user for user in staff.people if user.id == user_id)
    one = staff.candidate(person, _category(order), order.team_id)
    if not is_fit(staff, order, one):
        _refuse_unconfirmed(ctx.actor, one, is_confirmed=is_confirmed, reason=reason)
    return one.as_record()


def _refuse_unconfirmed(
    actor: Actor, one: Candidate, *, is_confirmed: bool, reason: str | None
) -> None:
    name, category = one.name, category_name(one.category or "")
    if actor.user_id is None or not actor.can(Permission.WORK_ASSIGN):
        message = _l(
            "High-risk equipment: %(name)s has no valid competence for %(category)s. "
            "Ask an engineer to decide.",
            name=name, category=category,
        )  # fmt: skip
        raise Invalid(message, fields={"assignee": [message]}, code="not_competent")
    if not is_confirmed or not (reason or "").strip():
        message = _l(
            "High-risk equipment: %(name)s has no valid competence for %(category)s. "
            "Confirm it and say why, or choose somebody else.",
            name=name, category=category,
        )  # fmt: skip
        raise Invalid(message, fields={"assignee": [message]}, code="not_competent")
