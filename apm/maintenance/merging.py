"""Which work orders tick several due dates: one visit instead of two.

A larger procedure takes a smaller one in when its template says so (`absorbs`), or when every
step of the smaller is a step of the larger; their windows must overlap, and nobody have begun.
"""

from __future__ import annotations

from datetime import date

from apm.maintenance.due import Window
from apm.maintenance.model import Occurrence, Plan
from apm.maintenance.rounds import STANDING, Round
from apm.maintenance.withdrawal import UNSTARTED, withdraw
from apm.procedures.catalogue import Template
from apm.work.model import WorkOrder


def takes_in(large: Template, small: Template) -> bool:
    """Tell whether a visit by one procedure does all of the other.

    >>> from apm.procedures.catalogue import template
    >>> takes_in(template("VENT"), template("VENT")), takes_in(template("VENT"), template("MON"))
    (False, False)
    """
    if large.code == small.code:
        return False
    steps = {step.id for step in small.steps}
    return small.code in large.absorbs or (
        bool(steps) and steps < {step.id for step in large.steps}
    )


def host_for(work: Round, plan: Plan, frame: Window) -> WorkOrder | None:
    """Return open work that does what is due anyway.

    The same procedure is never asked for twice; a larger one is joined before it is begun.
    """
    for order in work.on_asset[plan.asset_id]:
        if order.state not in STANDING or order.template_code is None:
            continue
        if order.template_code == plan.template_code:
            return order
        if order.state in UNSTARTED and _overlaps(work, order, frame):
            large = work.template(order.template_code)
            if takes_in(large, work.template(plan.template_code)):
                return order
    return None


def absorb(work: Round, plan: Plan, order: WorkOrder, frame: Window) -> None:
    """Let a new order take over the due dates of smaller work on the asset nobody has begun."""
    large = work.template(plan.template_code)
    for other in list(work.on_asset[plan.asset_id]):
        if other.id == order.id or other.state not in UNSTARTED or other.template_code is None:
            continue
        if not takes_in(large, work.template(other.template_code)):
            continue
        shared = work.sharing(other) if _overlaps(work, other, frame) else []
        for occurrence in shared:  # none: somebody ordered it by hand, and gets it
            occurrence.work_order_id = order.id
            _hasten(order, occurrence)
        if shared:
            work.ctx.session.flush()
            withdraw(work.ctx, other, "absorbed")
            work.on_asset[plan.asset_id].remove(other)


def join(order: WorkOrder, occurrence: Occurrence) -> None:
    """Let an order tick an occurrence, too; whatever is due first counts for the order."""
    occurrence.work_order_id = order.id
    _hasten(order, occurrence)


def _hasten(order: WorkOrder, occurrence: Occurrence) -> None:
    order.due_on = min(order.due_on or occurrence.due, occurrence.due)
    order.late_after = min(order.late_after or occurrence.late_after, occurrence.late_after)


def _overlaps(work: Round, order: WorkOrder, frame: Window) -> bool:
    """Tell whether the windows of an open order and of a due date have a day in common.

    Work that is late is still to be done today: its window reaches until then.
    """
    windows = [(seen.opens, seen.late_after) for seen in work.sharing(order)]
    if not windows:
        day = order.due_on or work.today
        windows = [(day, order.late_after or day)]
    begin = min(opens for opens, _late in windows)
    end: date = max(work.today, *(late for _opens, late in windows))
    return begin <= max(frame.late_after, work.today) and frame.opens <= end
