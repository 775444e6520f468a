"""Events from the outbox to whoever listens: at least once, a poisoned one steps aside."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.db import ApmSession
from apm.core.events import SUBSCRIBERS, Outbox

log = logging.getLogger(__name__)
BATCH = 100
LONGEST_PAUSE = timedelta(hours=1)


def deliver(ctx: Context) -> int:
    """Deliver what is due, oldest first; return how many were delivered.

    `ctx` is the system's, of no hospital.  Each event is its own transaction: its handlers and
    the mark that it is delivered are committed together.
    """
    due = (
        select(Outbox.id)
        .where(Outbox.due_at <= ctx.now())
        .order_by(Outbox.due_at, Outbox.id)
        .limit(BATCH)
    )
    done = 0
    for event_id in list(ctx.session.scalars(due)):
        done += _deliver_one(ctx, event_id)
    return done


def _deliver_one(ctx: Context, event_id: int) -> int:
    session: ApmSession = ctx.session
    row = session.get(Outbox, event_id)
    if row is None or row.due_at is None:
        return 0
    bound = Context(session, system_actor(row.hospital_id), ctx.now)
    try:
        with bound.writing(f"event.{row.kind}"):
            for handler in SUBSCRIBERS.of(row.kind):
                handler(bound, row.id, row.payload)
            row.due_at = None
            row.error = None
    except Exception as error:  # one bad event must not stop the rest
        log.exception("event %s (%s) could not be delivered", event_id, row.kind)
        _postpone(ctx, event_id, error)
        return 0
    finally:
        session.info["actor"] = ctx.actor
    return 1


def _postpone(ctx: Context, event_id: int, error: Exception) -> None:
    ctx.session.info["actor"] = ctx.actor
    with ctx.writing("event.postpone"):
        row = ctx.session.get(Outbox, event_id, populate_existing=True)
        if row is not None:
            row.attempts += 1
            row.error = f"{type(error).__name__}: {error}"[:500]
            pause = min(timedelta(seconds=2**row.attempts), LONGEST_PAUSE)
            row.due_at = ctx.now() + pause
