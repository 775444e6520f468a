"""The days a page of use or energy covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from marshmallow import ValidationError

from apm.accounts.queries import hospital_day, zone_of
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.utilisation.schema import DaysWanted

USUAL = 30
LONGEST = 3660


@dataclass(frozen=True, slots=True)
class Span:
    """Whole local days from `first` to `last`, both included."""

    first: date
    last: date
    by: str = "device"
    seconds: float = 0.0
    """How long they last, up to now."""


def span_of(ctx: Context, *, first: date | None, last: date | None, by: str = "device") -> Span:
    """Return the days asked for, by default the last 30.

    Raises:
        Invalid: in the wrong order, not begun yet, or longer than ten years.
    """
    today = hospital_day(ctx)
    last = min(last or today, today)
    first = first or last - timedelta(days=USUAL - 1)
    if first > last:
        raise _wrong(_l("The first day must not be after the last, nor lie ahead."))
    if (last - first).days > LONGEST:
        raise _wrong(_l("Choose a period of at most ten years."))
    place = ZoneInfo(zone_of(ctx))
    begin = datetime.combine(first, time(), place).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), place).astimezone(UTC)
    return Span(first, last, by, (min(end, ctx.now()) - begin).total_seconds())


def span_wanted(ctx: Context, args: Mapping[str, str]) -> Span:
    """Return the days that the address of a page asks for.

    Raises:
        Invalid: no day, or see `span_of`.
    """
    names = ("from", "to", "by")
    try:
        wanted = DaysWanted().load({n: v for n in names if (v := args.get(n))})
    except ValidationError as error:
        message = _l("Give days like 2026-01-31.")
        raise Invalid(message, fields=error.messages_dict) from error
    return span_of(ctx, first=wanted.get("first"), last=wanted.get("last"), by=wanted["by"])


def _wrong(message: object) -> Invalid:
    return Invalid(message, fields={"from": [message]})
