"""What the worker does with use."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from apm.core.command import Context
from apm.core.errors import DomainError
from apm.core.jobs import job
from apm.readings.noting import note_inbox
from apm.utilisation import leaving as _told_of_sensors  # noqa: F401  (registers)
from apm.utilisation.following import feeds_due, follow_feed

log = logging.getLogger(__name__)
FAILURES = (DomainError, SQLAlchemyError, LookupError, ValueError)


@job("utilisation.follow", every=timedelta(minutes=5))
def follow_all(ctx: Context) -> int:
    """Work out the use of equipment whose sensors have said something new; return how many."""
    note_inbox(ctx)
    due = feeds_due(ctx)
    for feed_id in due:
        try:
            while not follow_feed(ctx, feed_id=feed_id):
                ctx.session.expunge_all()  # years of days must not stay in memory
        except FAILURES:  # one feed's trouble must not stop the others; the next run tries again
            log.exception("use of feed %s cannot be worked out", feed_id)
        ctx.session.expunge_all()
    return len(due)
