"""Spare parts below their minimum: told once, and again only after they were above it."""

from __future__ import annotations

from sqlalchemy import delete, select

from apm.accounts.queries import zone_of
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.notify.events import PartsLow
from apm.notify.model import Told
from apm.parts.model import Part
from apm.parts.queries import is_low


@command("notify.low_stock", Permission.SYSTEM_RUN)
def tell_of_low_stock(ctx: Context) -> int:
    """Announce in one piece the parts that have run low since; return how many."""
    today = local_day(ctx.now(), zone_of(ctx))
    query = select(Part.id).where(Part.is_active, is_low(today))
    low = {f"low:{part_id}" for part_id in ctx.session.scalars(query)}
    told = set(ctx.session.scalars(select(Told.key).where(Told.key.like("low:%"))))
    new = low - told
    ctx.session.add_all(Told(key=key, at=ctx.now()) for key in sorted(new))
    if above := told - low:
        ctx.session.execute(delete(Told).where(Told.key.in_(above)))
    if new:
        ctx.emit(PartsLow(len(new)))
    return len(new)
