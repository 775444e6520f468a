"""What requests do by themselves."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.requests.confirming import verify_silent
from apm.requests.waiting import watch_reports


@job("requests.verify_silent", every=timedelta(hours=1))
def confirm_by_silence(ctx: Context) -> None:
    """Confirm repairs whose reporter has not objected."""
    verify_silent(ctx)


@job("requests.service_levels", every=timedelta(minutes=1))
def watch_clocks(ctx: Context) -> None:
    """Tell of reports nobody decides about."""
    watch_reports(ctx)
