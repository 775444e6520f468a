"""What the worker does by itself in metrology."""

from __future__ import annotations

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.metrology.blocking import assets_to_settle, remind_of_due, settle
from apm.metrology.drifting import compute_drifts
from apm.metrology.instruments import instruments_to_remind, remind


@job("metrology.watch", every=timedelta(hours=1))
def watch(ctx: Context) -> int:
    """Block what must not be used, free what may be again, remind; return how many changed.

    Each asset is a transaction of its own, so that a long list holds no lock.
    """
    remind_of_due(ctx)
    changed = sum(settle(ctx, asset_id=asset_id) for asset_id in assets_to_settle(ctx))
    for instrument_id in instruments_to_remind(ctx):
        remind(ctx, instrument_id=instrument_id)
    return changed


@job("metrology.drift", every=timedelta(days=1))
def drift(ctx: Context) -> int:
    """Look at everything measured more than three times; return how many values drift."""
    return compute_drifts(ctx)
