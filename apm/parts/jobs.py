"""What the worker does for parts by itself."""

from __future__ import annotations

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.parts.demand import recalculate


@job("parts.forecast", every=timedelta(hours=6))
def forecast_use(ctx: Context) -> None:
    """Calculate anew how much of each part will be used."""
    recalculate(ctx)
