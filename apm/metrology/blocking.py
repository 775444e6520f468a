"""Equipment whose verification is overdue or failed must not be used.

A block sets the availability to "do not use" and remembers what it was.  It is made by a job every
hour, by each certificate recorded, and held when other work would put the equipment back in use.
What the law forbids without saying (equipment that has no certificate on record) is shown, not
blocked: a hospital that begins with the program has not typed its certificates in yet.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import hospital_day
from apm.assets.commands import set_availability
from apm.assets.lifecycle import SIDE
from apm.assets.model import GONE, Asset, Availability
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.metrology.events import UseAllowed, UseBlocked, VerificationsDue
from apm.metrology.lights import Light, light_of
from apm.metrology.model import VerificationDuty
from apm.metrology.queries import duty_to_change, is_subject
from apm.work.model import WorkOrder
from apm.work.moving import when_moved
from apm.work.states import OPEN_WORK, WorkType

FORBIDDEN = frozenset({Light.OVERDUE, Light.FAILED})
TOLD = FORBIDDEN | {Light.SOON}


@command("verification.settle", Permission.SYSTEM_RUN)
def settle(ctx: Context, *, asset_id: int) -> bool:
    """Block or free one asset as its verification stands today; return whether that changed."""
    asset = ctx.session.scalar(select(Asset).where(Asset.id == asset_id))
    return asset is not None and put_right(ctx, duty_to_change(ctx, asset))


@command("verification.remind", Permission.SYSTEM_RUN)
def remind_of_due(ctx: Context) -> int:
    """Announce in one piece the verifications that are due soon by now; return how many."""
    today, found = hospital_day(ctx), 0
    for duty in ctx.session.scalars(_duties()):
        why, said = wanted(duty, today)
        if why is None and said and said != duty.told_of:
            duty.told_of = said
            found += 1
    if found:
        ctx.emit(VerificationsDue(found))
    return found


def put_right(ctx: Context, duty: VerificationDuty) -> bool:
    """Block or free an asset; inside a command, with `duty` locked.

    Returns whether the asset was blocked or freed.
    """
    today, asset = hospital_day(ctx), duty.asset
    why, said = wanted(duty, today)
    duty.told_of = said
    if why == duty.blocked_why:
        if why and asset.availability is not Availability.DOWN:
            hold(duty)
        return False
    was_blocked = duty.blocked_why is not None
    duty.blocked_why = why
    if why is None:
        _free(ctx, duty)
        return True
    if not was_blocked:
        duty.blocked_since = ctx.now()
        duty.available_before = asset.availability
        set_availability(asset, Availability.DOWN)
    ctx.emit(UseBlocked(asset.id, asset.code, why))
    return True


def wanted(duty: VerificationDuty, today: date) -> tuple[str | None, str | None]:
    """Return why the asset must be blocked today, and what must have been said; None: nothing."""
    now = light_of(duty, today)
    if not is_subject(duty.asset, duty) or duty.asset.lifecycle in GONE or now not in TOLD:
        return None, None
    said = f"{now.value} {duty.valid_until}"
    return (now.value if now in FORBIDDEN else None), said


def hold(duty: VerificationDuty) -> None:
    """Keep a blocked asset out of use, and remember what else was just said of it."""
    duty.available_before = duty.asset.availability
    set_availability(duty.asset, Availability.DOWN)


def _free(ctx: Context, duty: VerificationDuty) -> None:
    """End a block: the asset comes back unless something else keeps it out of use."""
    asset = duty.asset
    before = duty.available_before or Availability.UP
    duty.blocked_since = duty.available_before = None
    ctx.emit(UseAllowed(asset.id, asset.code))
    if asset.lifecycle in SIDE | GONE:
        return
    repairs = select(WorkOrder).where(
        WorkOrder.asset_id == asset.id,
        WorkOrder.type == WorkType.CORRECTIVE,
        WorkOrder.state.in_(OPEN_WORK),
    )
    left = {_left_by(repair) for repair in ctx.session.scalars(repairs)} - {None}
    if Availability.DOWN in left:
        before = Availability.DOWN
    elif Availability.PARTIAL in left and before is Availability.UP:
        before = Availability.PARTIAL
    set_availability(asset, before)


def _left_by(repair: WorkOrder) -> Availability | None:
    """Return what an open repair leaves of an asset's use; None: it says nothing about it."""
    if repair.down_from is not None and repair.down_until is None:
        return Availability.DOWN
    return Availability.PARTIAL if (repair.origin or "").startswith("failed:") else None


@when_moved
def keep_blocked(ctx: Context, order: WorkOrder, _action: str) -> None:
    """A repair that ends does not put equipment in use whose verification is overdue."""
    if order.asset is None or order.asset.availability is Availability.DOWN:
        return
    query = select(VerificationDuty).where(
        VerificationDuty.asset_id == order.asset_id, VerificationDuty.blocked_why.is_not(None)
    )
    if duty := ctx.session.scalar(query):
        duty.asset = order.asset
        hold(duty)


def _duties() -> Select[VerificationDuty]:
    query = select(VerificationDuty).options(joinedload(VerificationDuty.asset))
    return query.order_by(VerificationDuty.id)


def assets_to_settle(ctx: Context) -> list[int]:
    """Return the ids of the assets for which something has to change today.

    The rest are left alone: an hourly run must not lock hundreds of rows to find nothing.
    """
    today = hospital_day(ctx)
    found = []
    for duty in ctx.session.scalars(_duties()):
        why, said = wanted(duty, today)
        slipped = why is not None and duty.asset.availability is not Availability.DOWN
        if slipped or (why, said) != (duty.blocked_why, duty.told_of):
            found.append(duty.asset_id)
    return found
