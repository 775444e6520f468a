"""What the pages of an asset and of a work order say about metrology."""

from __future__ import annotations

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.metrology.drifting import drifts_of
from apm.metrology.instruments import active_instruments
from apm.metrology.lights import light_of, light_of_instrument
from apm.metrology.naming import may_name, named_on
from apm.metrology.queries import duty_of, is_doubtful, is_subject, safety_profile_of
from apm.procedures.model import StepKind
from apm.work.model import WorkOrder
from apm.work.sections import beside
from apm.work.states import WorkState


@panel(order=45, permission=Permission.METROLOGY_READ)
def metrology_panel(ctx: Context, asset: Asset) -> Panel:
    """How the verification stands, the class of protection, and what drifts."""
    duty = duty_of(ctx, asset)
    today = hospital_day(ctx)
    data = {
        "duty": duty,
        "light": light_of(duty, today),
        "is_subject": is_subject(asset, duty),
        "is_doubtful": is_doubtful(asset, duty),
        "profile": safety_profile_of(ctx, asset),
        "drifts": drifts_of(ctx, asset),
    }
    blocked = duty is not None and duty.blocked_why is not None
    return Panel(
        _l("Metrology and safety"),
        "shield",
        "metrology/_asset_panel.html",
        data,
        url=f"/metrology/assets/{asset.code}",
        more=_l("Certificates, limits and trends"),
        tone="bad" if blocked else "",
    )


@beside(order=70, permission=Permission.WORK_READ)
def instruments_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """The test instruments an order was measured with, and a form to name one."""
    named = named_on(ctx, order)
    measured = [step for step in order.steps if step.kind is StepKind.MEASURE]
    can_name = order.state is WorkState.IN_PROGRESS and may_name(ctx, order)
    if not named and not (can_name and measured):
        return None
    keys = {key for one in named for key in one.keys}
    today = hospital_day(ctx)
    offered = active_instruments(ctx) if can_name else []
    return Panel(
        _l("Test instruments"),
        "tool",
        "metrology/_order_section.html",
        {
            "named": named,
            "can_name": can_name,
            "without": [step for step in measured if step.key not in keys],
            "sections": list(dict.fromkeys(step.section for step in measured)),
            "offered": [(one, light_of_instrument(one, today)) for one in offered],
            "no": order.no,
        },
        anchor="instruments",
        tone="bad" if any(not one.holds for one in named) else "",
    )
