"""What the worker does to make forecasts: every night, and at once where there are none."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from apm.accounts.queries import zone_of
from apm.core.command import Context
from apm.core.jobs import job
from apm.core.settings import Settings
from apm.forecasts.foretelling import foretell_all
from apm.forecasts.model import Forecast
from apm.forecasts.why_keeping import explain_due

NIGHT = range(1, 5)
"""Hours of the hospital's clock in which few need the machine."""
FRESH, LATEST = timedelta(hours=20), timedelta(hours=30)


@job("forecasts.foretell", every=timedelta(minutes=30), lane="forecasts")
def foretell_nightly(ctx: Context) -> None:
    """Train what is due and foretell; a night that was missed is made up for by day."""
    if is_due(ctx):
        foretell_all(ctx, compute=Settings.from_env().compute)


@job("forecasts.explain", every=timedelta(minutes=5), lane="forecasts")
def explain_new(ctx: Context) -> None:
    """Explain what was foretold since; after a night that takes as long as it takes."""
    explain_due(ctx)


def is_due(ctx: Context) -> bool:
    """Tell whether the forecasts are to be made now."""
    newest = ctx.session.scalar(select(func.max(Forecast.at)))
    if newest is None:
        return True
    age = ctx.now() - newest
    return age >= LATEST or (is_night(ctx) and age >= FRESH)


def is_night(ctx: Context) -> bool:
    """Tell whether it is night in the hospital."""
    return ctx.now().astimezone(ZoneInfo(zone_of(ctx))).hour in NIGHT
