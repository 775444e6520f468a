"""Housekeeping: what has served its time goes."""

from datetime import timedelta

from sqlalchemy import delete

from apm.core.command import Context
from apm.core.events import Outbox
from apm.core.idempotency import KeptAnswer
from apm.core.jobs import job
from apm.core.limits import forget

KEEP = timedelta(days=7)


@job("worker.tidy", every=timedelta(hours=6))
def tidy(ctx: Context) -> None:
    """Drop old tries, answers kept for repeats, and events delivered long ago."""
    before = ctx.now() - KEEP
    forget(ctx, before=before)
    with ctx.writing("worker.tidy"):
        ctx.session.execute(delete(KeptAnswer).where(KeptAnswer.at < before))
        ctx.session.execute(delete(Outbox).where(Outbox.due_at.is_(None), Outbox.at < before))
