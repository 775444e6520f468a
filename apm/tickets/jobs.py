"""What tickets does by itself."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.tickets.triage import verify_silent


@job("tickets.verify_silent", every=timedelta(hours=1))
def confirm_by_silence(ctx: Context) -> None:
    """Confirm repairs whose reporter has not objected."""
    verify_silent(ctx)
