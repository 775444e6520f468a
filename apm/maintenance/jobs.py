"""What the worker does with plans."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from apm.core.command import Context
from apm.core.errors import DomainError
from apm.core.jobs import job
from apm.maintenance.generation import generate, note_problem
from apm.maintenance.queries import plans_to_look_at, today_of

log = logging.getLogger(__name__)


@job("maintenance.generate", every=timedelta(hours=1))
def generate_due(ctx: Context) -> int:
    """Make the work orders that are due; return how many.

    Each plan is a transaction of its own: one that fails is noted, logged and tried again by the
    next run, and the rest go on.
    """
    made = 0
    for plan_id in plans_to_look_at(ctx, today_of(ctx)):
        try:
            made += generate(ctx, plan_id=plan_id) is not None
        except (DomainError, SQLAlchemyError, LookupError, ValueError) as error:
            log.exception("no work order for plan %s", plan_id)
            note_problem(ctx, plan_id=plan_id, problem=str(error))
    return made
