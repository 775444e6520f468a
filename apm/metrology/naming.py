"""With which instrument a work order was measured, and what that says at sign-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from apm.accounts.queries import hospital_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.metrology.instruments import instrument_to_change, was_calibrated
from apm.metrology.model import Instrument, InstrumentUse
from apm.procedures.model import StepKind
from apm.work.completion import before_completion
from apm.work.lifecycle import is_assignee
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.refusals import only_at_work

ALL = "all"
"""Every measured step."""


@dataclass(frozen=True, slots=True)
class Named:
    """One instrument on a work order: for which steps, when, and whether its calibration held."""

    instrument: Instrument
    used_on: date
    keys: list[str]
    holds: bool


@command("instrument.use", Permission.WORK_DO)
def name_instrument(
    ctx: Context, *, no: str, instrument_id: int, scope: str = ALL, used_on: date | None = None
) -> list[InstrumentUse]:
    """Note that steps of a work order were measured with an instrument; again changes nothing.

    `scope` is `all`, a section of the checklist, or the key of one step.  An instrument whose
    calibration has run out may be named, because that is what happened; it blocks the sign-off.

    Raises:
        NotFound: no such order or instrument.
        Conflict: the work is not in progress, or the instrument out of use.
        Invalid: nothing is measured there, or the day has not come.
    """
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    instrument = instrument_to_change(ctx, instrument_id)
    if not instrument.is_active:
        raise Conflict(_l("This instrument is out of use. Choose another one."))
    day = used_on or hospital_day(ctx)
    if day > hospital_day(ctx):
        message = _l("This day has not come yet.")
        raise Invalid(message, fields={"used_on": [message]})
    return note_use(ctx, order, instrument, _keys(order, scope), day)


def note_use(
    ctx: Context, order: WorkOrder, instrument: Instrument, keys: list[str], day: date
) -> list[InstrumentUse]:
    """Write down a use for each of these steps unless it stands there; inside a command."""
    query = select(InstrumentUse).where(
        InstrumentUse.work_order_id == order.id, InstrumentUse.instrument_id == instrument.id
    )
    known = {use.step_key for use in ctx.session.scalars(query)}
    made = [
        InstrumentUse(
            work_order_id=order.id,
            step_key=key,
            instrument_id=instrument.id,
            used_on=day,
            calibrated_until=instrument.calibrated_until,
            named_by=ctx.actor.name,
            named_at=ctx.now(),
        )
        for key in keys
        if key not in known
    ]
    ctx.session.add_all(made)
    ctx.session.flush()
    return made


def _keys(order: WorkOrder, scope: str) -> list[str]:
    measured = [step for step in order.steps if step.kind is StepKind.MEASURE]
    if scope == ALL:
        return [step.key for step in measured] or [""]
    keys = [step.key for step in measured if scope in {step.section, step.key}]
    if not keys:
        message = _l("Nothing is measured there. Choose another part of the checklist.")
        raise Invalid(message, fields={"scope": [message]})
    return keys


@command("instrument.unname", Permission.WORK_DO)
def unname_instrument(ctx: Context, *, no: str, instrument_id: int) -> None:
    """Take an instrument off a work order: it was named by mistake.

    Raises:
        NotFound: no such order, or the instrument is not named there.
        Conflict: the work is not in progress.
    """
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    query = select(InstrumentUse).where(
        InstrumentUse.work_order_id == order.id, InstrumentUse.instrument_id == instrument_id
    )
    uses = list(ctx.session.scalars(query))
    if not uses:
        raise NotFound(_l("This instrument is not named here. Reload the page."))
    for use in uses:
        ctx.session.delete(use)


def named_on(ctx: Context, order: WorkOrder) -> list[Named]:
    """Return the instruments of a work order, in two statements."""
    query = (
        select(InstrumentUse)
        .where(InstrumentUse.work_order_id == order.id)
        .options(joinedload(InstrumentUse.instrument).selectinload(Instrument.certificates))
        .order_by(InstrumentUse.id)
    )
    found: dict[tuple[int, date], list[InstrumentUse]] = {}
    for use in ctx.session.scalars(query):
        found.setdefault((use.instrument_id, use.used_on), []).append(use)
    return [
        Named(
            instrument=uses[0].instrument,
            used_on=day,
            keys=[use.step_key for use in uses if use.step_key],
            holds=was_calibrated(uses[0].instrument.certificates, day),
        )
        for (_instrument, day), uses in found.items()
    ]


def may_name(ctx: Context, order: WorkOrder) -> bool:
    """Tell whether this actor may name instruments here: who does the work."""
    return ctx.actor.can(Permission.WORK_DO) and is_assignee(ctx.actor, order)


@before_completion
def refuse_out_of_date_instruments(ctx: Context, order: WorkOrder) -> None:
    """What was measured with an instrument out of calibration cannot be signed for."""
    query = (
        select(InstrumentUse)
        .where(InstrumentUse.work_order_id == order.id)
        .options(selectinload(InstrumentUse.instrument).selectinload(Instrument.certificates))
        .execution_options(populate_existing=True)
    )
    for use in ctx.session.scalars(query):
        if not was_calibrated(use.instrument.certificates, use.used_on):
            message = _l(
                "Instrument %(serial)s was not calibrated on %(day)s. Record its calibration, or"
                " measure again with another one.",
                serial=use.instrument.serial,
                day=use.used_on.isoformat(),
            )
            raise Invalid(message, fields={"steps": [message]}, code="instrument_out_of_date")
