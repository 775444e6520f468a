"""Seals the days that are over: one chunk each, and their hours beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from apm.core.command import Context
from apm.readings.blocks import pack, unpack
from apm.readings.merging import hours_for
from apm.readings.model import Block

AFTER = timedelta(hours=1)
"""A day is sealed so long after its end (UTC): most late readings have come by then."""
AT_ONCE = 100
"""Blocks sealed in one transaction: it holds up others for some twenty milliseconds."""


def seal_days(ctx: Context) -> int:
    """Seal what is open of days that are over; return how many blocks were sealed."""
    done = 0
    while n := _seal_some(ctx):
        done += n
    return done


def _seal_some(ctx: Context) -> int:
    query = (
        select(Block.id, Block.version, Block.data)
        .where(~Block.sealed, Block.day < (ctx.now() - AFTER).date())
        .order_by(Block.day, Block.id)
        .limit(AT_ONCE)
    )
    with ctx.writing("reading.seal"):
        rows = ctx.session.execute(query.with_for_update()).all()
        if rows:
            ctx.session.execute(update(Block), [_sealed(*row) for row in rows])
    return len(rows)


def _sealed(number: int, version: int, data: bytes | None) -> dict[str, Any]:
    readings = unpack(data or b"")
    return {
        "id": number,
        "version": version + 1,
        "sealed": True,
        "hours": hours_for(readings),
        "data": pack(readings),
    }
