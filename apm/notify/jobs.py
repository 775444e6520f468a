"""What the worker does for messages again and again."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from sqlalchemy import delete

from apm.core.command import Context, command
from apm.core.jobs import job
from apm.core.permissions import Permission
from apm.core.settings import Settings
from apm.notify import channel_carrier as _registered  # noqa: F401  (carries what is due)
from apm.notify.delivering import BATCH, send_due
from apm.notify.digests import make_digests
from apm.notify.escalating import take_step
from apm.notify.low_stock import tell_of_low_stock
from apm.notify.model import Delivery, Told
from apm.notify.overdue import remind
from apm.notify.queries import due_escalations

MOST_BATCHES = 5
"""Then it is another hospital's turn."""
KEEP_DELIVERIES = timedelta(days=30)
KEEP_TOLD = timedelta(days=400)


@cache
def _settings() -> Settings:
    return Settings.from_env()


@job("notify.deliver", every=timedelta(seconds=5), waits=True)
def deliver(ctx: Context) -> None:
    """Send the messages and webhooks that are due."""
    for _turn in range(MOST_BATCHES):
        if send_due(ctx, _settings()) < BATCH:
            return


@job("notify.escalate", every=timedelta(seconds=15))
def escalate(ctx: Context) -> None:
    """Ask the next people where nobody has answered."""
    for escalation_id in due_escalations(ctx, ctx.now()):
        step(ctx, escalation_id=escalation_id)


@job("notify.digest", every=timedelta(minutes=5))
def digest(ctx: Context) -> None:
    """Make the digests whose hour has come."""
    make_digests(ctx)


@job("notify.overdue", every=timedelta(minutes=30))
def overdue(ctx: Context) -> None:
    """Remind of work whose day is near or has passed."""
    remind(ctx)


@job("notify.low_stock", every=timedelta(minutes=30))
def low_stock(ctx: Context) -> None:
    """Tell of spare parts that have run low."""
    tell_of_low_stock(ctx)


@job("notify.tidy", every=timedelta(hours=12))
def tidy(ctx: Context) -> None:
    """Drop deliveries done long ago."""
    with ctx.writing("notify.tidy"):
        old = Delivery.done_at < ctx.now() - KEEP_DELIVERIES
        ctx.session.execute(delete(Delivery).where(old))
        ctx.session.execute(delete(Told).where(Told.at < ctx.now() - KEEP_TOLD))


@command("escalation.step", Permission.SYSTEM_RUN)
def step(ctx: Context, *, escalation_id: int) -> None:
    """Go on to the next people unless somebody has answered meanwhile."""
    take_step(ctx, escalation_id, ctx.now())
