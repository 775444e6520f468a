"""Who has an order, how its clocks stand, and passing it on: a section of the order's page."""

from __future__ import annotations

from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.teams.wording import reasons_for, reasons_kept
from apm.work.assigning import candidates_for, is_fit, needs_competence, staff_with_load
from apm.work.clock_view import clock_of, response_of
from apm.work.lifecycle import work_actions
from apm.work.model import WorkOrder
from apm.work.sections import Panel, beside
from apm.work.states import Priority

PASSING_ON = frozenset({"assign", "hand_over"})


@beside(order=5, permission=Permission.WORK_READ)
def dispatch_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """The team, the clocks, why this person, and the forms to pass the order on."""
    staff = staff_with_load(ctx)
    actions = work_actions(ctx.actor, order)
    people = []
    if PASSING_ON & set(actions):
        zone = staff.calendar.zone
        people = [
            (one, reasons_for(one, zone), is_fit(staff, order, one))
            for one in candidates_for(staff, order)
        ]
    return Panel(
        _l("Team and time"),
        "users",
        "dispatch/_order.html",
        {
            "team": next((t for t in staff.teams if t.id == order.team_id), None),
            "clock": clock_of(order, ctx.now()),
            "response": response_of(order),
            "why": reasons_kept(order.assigned_why) if order.assigned_why else [],
            "people": people,
            "passing": next((a for a in ("assign", "hand_over") if a in actions), None),
            "may_prioritise": "prioritise" in actions,
            "priorities": [p for p in Priority if p is not order.priority],
            "asks_competence": needs_competence(staff, order),
        },
        anchor="dispatch",
    )
