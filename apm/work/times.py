"""Times that people type: in the hospital's own zone, as the page shows them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from apm.accounts.queries import zone_of
from apm.core.command import Context


def aware(ctx: Context, typed: datetime | None) -> datetime | None:
    """Return a typed time with a zone; without one it is the hospital's."""
    if typed is None or typed.tzinfo is not None:
        return typed
    return typed.replace(tzinfo=_zone(ctx))


def to_type(ctx: Context, at: datetime | None) -> str:
    """Return an instant as the value of a `datetime-local` field."""
    return at.astimezone(_zone(ctx)).strftime("%Y-%m-%dT%H:%M") if at else ""


def _zone(ctx: Context) -> ZoneInfo:
    return ZoneInfo(zone_of(ctx))
