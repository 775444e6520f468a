"""What the worker does with plans."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.core.errors import DomainError
from apm.core.jobs import job
from apm.maintenance.generation import generate, generate_many, note_problem
from apm.maintenance.queries import plans_to_look_at, plans_triggered
from apm.maintenance.watching import follow_sensor, triggers_to_watch
from apm.readings.noting import note_inbox

log = logging.getLogger(__name__)
AT_ONCE = 25
"""Plans of one transaction: a writer of SQLite keeps the others waiting about half a second."""
FAILURES = (DomainError, SQLAlchemyError, LookupError, ValueError)


@job("maintenance.generate", every=timedelta(hours=1))
def generate_due(ctx: Context) -> int:
    """Make the work orders that are due; return how many."""
    return look_after(ctx, plans_to_look_at(ctx, hospital_day(ctx)))


@job("maintenance.watch", every=timedelta(minutes=1))
def watch_triggers(ctx: Context) -> int:
    """Follow the watched sensors, and make the work orders that triggers ask for."""
    note_inbox(ctx)
    for trigger_id in triggers_to_watch(ctx):
        follow_sensor(ctx, trigger_id=trigger_id)
    return look_after(ctx, plans_triggered(ctx, hospital_day(ctx)))


def look_after(ctx: Context, plan_ids: Sequence[int]) -> int:
    """Look after plans, some in each transaction; return how many got a work order.

    Where a transaction fails, each of its plans gets one of its own: one that fails is noted,
    logged and tried again by the next run, and the rest go on.
    """
    made = 0
    for some in _chunks(plan_ids):
        try:
            made += generate_many(ctx, plan_ids=some)
        except FAILURES:
            log.info("one of plans %s to %s fails: each by itself", some[0], some[-1])
            made += sum(_one(ctx, plan_id) for plan_id in some)
        ctx.session.expunge_all()  # a hundred thousand plans must not stay in memory
    return made


def _one(ctx: Context, plan_id: int) -> bool:
    try:
        return generate(ctx, plan_id=plan_id) is not None
    except FAILURES as error:
        log.exception("no work order for plan %s", plan_id)
        note_problem(ctx, plan_id=plan_id, problem=str(error))
        return False


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(ids), AT_ONCE):
        yield ids[begin : begin + AT_ONCE]
