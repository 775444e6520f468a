"""Which collector runs which connection, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from apm.collecting.model import Link, LinkState
from apm.core.command import Context, command
from apm.core.permissions import Permission

LASTS = timedelta(seconds=20)
"""A collector that dies is followed within this time; it renews many times as often."""


@command("collector.claim", Permission.SYSTEM_RUN)
def claim(ctx: Context, *, holder: str, ids: Iterable[int]) -> set[int]:
    """Take or renew these connections as far as nobody else holds them; return what is ours.

    `ctx` is the system's, of no hospital.
    """
    wanted, now = list(ids), ctx.now()
    free = or_(Link.holder == holder, Link.until.is_(None), Link.until <= now)
    ctx.session.execute(
        update(Link)
        .where(Link.connection_id.in_(wanted), free)
        .values(holder=holder, until=now + LASTS)
        .execution_options(synchronize_session=False)
    )
    ours = select(Link.connection_id).where(Link.connection_id.in_(wanted), Link.holder == holder)
    return set(ctx.session.scalars(ours))


@command("collector.release", Permission.SYSTEM_RUN)
def release(ctx: Context, *, holder: str, ids: Iterable[int]) -> None:
    """Give connections back, so that another collector need not wait."""
    mine = update(Link).where(Link.connection_id.in_(list(ids)), Link.holder == holder)
    ctx.session.execute(
        mine.values(
            holder=None, until=None, state=LinkState.WAITING, error=None
        ).execution_options(synchronize_session=False)
    )


@command("collector.report", Permission.SYSTEM_RUN)
def report(ctx: Context, *, holder: str, found: Mapping[int, Mapping[str, Any]]) -> None:
    """Write how the connections fare that `holder` holds; by connection, columns of `Link`."""
    query = select(Link.id, Link.connection_id).where(
        Link.connection_id.in_(list(found)), Link.holder == holder
    )
    rows = [{"id": id_, **found[connection]} for id_, connection in ctx.session.execute(query)]
    if rows:
        ctx.session.execute(update(Link), rows)
