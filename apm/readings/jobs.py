"""What the worker does with readings by itself: merge them soon, seal days, keep to their time."""

from __future__ import annotations

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.readings.merging import merge_inbox
from apm.readings.retention import thin
from apm.readings.sealing import seal_days


@job("readings.merge", every=timedelta(seconds=5), lane="readings")
def merge(ctx: Context) -> None:
    """Merge what arrived since the last time into day blocks."""
    merge_inbox(ctx)


@job("readings.seal", every=timedelta(minutes=30), lane="readings")
def seal(ctx: Context) -> None:
    """Seal the days that are over."""
    merge_inbox(ctx)
    seal_days(ctx)


@job("readings.thin", every=timedelta(hours=12), lane="readings")
def thin_out(ctx: Context) -> None:
    """Keep only the hours of days whose readings have served their time."""
    merge_inbox(ctx)
    thin(ctx)
