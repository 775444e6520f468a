"""The clock: the one place that reads the time, so that a test may set another."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def local_day(at: datetime, zone: str) -> date:
    """Return the day `at` falls on in the hospital's time zone."""
    return at.astimezone(ZoneInfo(zone)).date()
