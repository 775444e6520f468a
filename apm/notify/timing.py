"""Quiet hours and the hour of the digest, on the hospital's wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def clock(text: str) -> time:
    """Return a time of day written as `22:00`."""
    return time.fromisoformat(text)


def wall(day: date, at: time, zone: str) -> datetime:
    """Return the instant when the hospital's clocks show this.

    In the hour that a change of clocks leaves out, it is as long after the change.

    >>> wall(date(2026, 3, 29), time(2, 30), "Europe/Berlin").isoformat()
    '2026-03-29T01:30:00+00:00'
    """
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def end_of_quiet(now: datetime, quiet: tuple[time, time] | None, zone: str) -> datetime | None:
    """Return when the quiet hours that `now` falls in end; None when it falls in none.

    The end is a time of day: in the night of a change of clocks the quiet is an hour longer or
    shorter, and ends when the person's alarm clock says so.
    """
    if quiet is None or quiet[0] == quiet[1]:
        return None
    begin, end = quiet
    local = now.astimezone(ZoneInfo(zone))
    at, today = local.time(), local.date()
    if begin < end:
        ends_on = today if begin <= at < end else None
    elif at >= begin:
        ends_on = today + timedelta(days=1)
    else:
        ends_on = today if at < end else None
    if ends_on is None:
        return None
    ending = wall(ends_on, end, zone)
    return ending if ending > now else None


def digest_day(now: datetime, hour: int, zone: str) -> date | None:
    """Return today if the hour of the digest has come, in the hospital's zone."""
    local = now.astimezone(ZoneInfo(zone))
    return local.date() if now >= wall(local.date(), time(hour), zone) else None
