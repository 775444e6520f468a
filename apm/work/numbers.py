"""Document numbers such as WO-2026-000034: without gaps, per hospital and local year."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from apm.accounts.queries import own_hospital
from apm.core.clock import local_day
from apm.core.command import Context
from apm.core.errors import Conflict
from apm.core.i18n import _l
from apm.work.model import Counter


def next_number(ctx: Context, prefix: str) -> str:
    """Return the next number of this kind (`R`, `WO`, `ST`); call it inside a command."""
    counter = locked_counter(ctx, prefix)
    counter.last += 1
    return number_of(counter)


def number_of(counter: Counter) -> str:
    """Return the number a counter stands at: `WO-2026-000034`."""
    return f"{counter.kind}-{counter.last:06d}"


def locked_counter(ctx: Context, prefix: str) -> Counter:
    """Return this year's counter, locked until the command ends.

    Whoever holds it is alone: what it decides about existing documents stays true.
    """
    hospital = own_hospital(ctx)
    if hospital is None:
        raise Conflict(_l("Choose a hospital first."))
    kind = f"{prefix}-{local_day(ctx.now(), hospital.timezone).year}"
    if found := ctx.session.scalar(_lock(kind)):
        return found
    try:
        with ctx.session.begin_nested():
            ctx.session.add(Counter(kind=kind, last=0))
    except IntegrityError:
        pass  # somebody else made this year's counter just now: theirs is found below
    return ctx.session.scalars(_lock(kind)).one()


def _lock(kind: str) -> Select[Counter]:
    query = select(Counter).where(Counter.kind == kind).with_for_update()
    return query.execution_options(populate_existing=True)
