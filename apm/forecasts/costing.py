"""From which probability planned work is cheaper than waiting, by the hospital's own costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from apm.accounts.queries import own_hospital
from apm.core.command import Context
from apm.work.model import Cost, WorkOrder
from apm.work.states import WorkState, WorkType
from predict.failure_soon import cost_threshold

LEAST_ORDERS = 10
"""Orders with a cost, of each kind, below which the default ratio holds."""
DEFAULT_RATIO = 5.0
"""So many times the planned work a failure is taken to cost where own costs are few."""
AVERTED = 0.5
"""The share of foretold failures that planned work is taken to avert: not all show signs."""
SPAN = timedelta(days=730)
LOWEST, HIGHEST = 0.25, 0.8
"""A floor outside is not believed: costs do not count patients, nor work that finds nothing."""
PLANNED = (WorkType.PREDICTIVE, WorkType.PREVENTIVE)


@dataclass(frozen=True, slots=True)
class Floor:
    """The probability from which a forecast asks for work, and what it rests on.

    planned, failure: mean cost of an order in the hospital's minor unit; None with fewer than
    `LEAST_ORDERS` of a kind.
    """

    probability: float
    planned: float | None
    failure: float | None
    n_planned: int
    n_failures: int


def floor_of(ctx: Context) -> Floor:
    """Return the floor from the orders closed in the last two years, in two statements.

    Costs in another currency than the hospital's do not count.
    """
    hospital = own_hospital(ctx)
    currency = hospital.currency if hospital else "CNY"
    planned, n_planned = _mean(ctx, PLANNED, currency)
    failure, n_failures = _mean(ctx, (WorkType.CORRECTIVE,), currency)
    if planned and failure and min(n_planned, n_failures) >= LEAST_ORDERS:
        limit = min(max(cost_threshold(planned, failure, AVERTED), LOWEST), HIGHEST)
        return Floor(round(limit, 3), planned, failure, n_planned, n_failures)
    limit = cost_threshold(1.0, DEFAULT_RATIO, AVERTED)
    return Floor(limit, None, None, n_planned, n_failures)


def _mean(ctx: Context, types: tuple[WorkType, ...], currency: str) -> tuple[float | None, int]:
    query = (
        select(func.sum(Cost.amount), func.count(WorkOrder.id.distinct()))
        .join(WorkOrder, WorkOrder.id == Cost.work_order_id)
        .where(
            WorkOrder.type.in_(types),
            WorkOrder.state == WorkState.CLOSED,
            WorkOrder.closed_at > ctx.now() - SPAN,
            WorkOrder.closed_at <= ctx.now(),
            Cost.currency == currency,
        )
    )
    total, n = ctx.session.execute(query).one()
    return (float(total) / n if n else None), n
