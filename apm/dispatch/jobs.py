"""What dispatch does by itself."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.dispatch.watching import watch_orders


@job("work.service_levels", every=timedelta(minutes=1))
def watch_clocks(ctx: Context) -> None:
    """Tell of clocks that run out."""
    watch_orders(ctx)
