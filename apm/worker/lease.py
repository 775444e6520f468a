"""One leader among any number of workers: a row with an expiry, taken by a conditional update."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from apm.core.command import Context
from apm.core.db import changed
from apm.worker.model import Lease

LASTS = timedelta(seconds=15)
"""A leader that dies is followed within this time; it renews three times as often."""


def take(ctx: Context, *, name: str, holder: str) -> bool:
    """Take or renew the lease `name`; tell whether `holder` leads now."""
    now = ctx.now()
    mine = (
        update(Lease)
        .where(Lease.name == name, or_(Lease.holder == holder, Lease.until <= now))
        .values(holder=holder, until=now + LASTS)
    )
    with ctx.writing("worker.lease"):
        if changed(ctx.session.execute(mine)) == 1:
            return True
        if ctx.session.scalar(select(Lease.id).where(Lease.name == name)):
            return False
    try:
        with ctx.writing("worker.lease"):
            ctx.session.add(Lease(name=name, holder=holder, until=now + LASTS))
    except IntegrityError:  # another worker made the row first: it leads
        return False
    return True


def release(ctx: Context, *, name: str, holder: str) -> None:
    """Give the lease back, so that the next worker need not wait for it to expire."""
    mine = update(Lease).where(Lease.name == name, Lease.holder == holder)
    with ctx.writing("worker.lease"):
        ctx.session.execute(mine.values(until=ctx.now()))
