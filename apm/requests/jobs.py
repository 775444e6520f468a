"""What requests do by themselves."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.requests.triage import verify_silent


@job("requests.verify_silent", every=timedelta(hours=1))
def confirm_by_silence(ctx: Context) -> None:
    """Confirm repairs whose reporter has not objected."""
    verify_silent(ctx)
