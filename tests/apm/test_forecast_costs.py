"""From which chance a forecast asks for work: by the hospital's own costs, in its own currency."""

import pytest

from apm.accounts.queries import own_hospital
from apm.forecasts.costing import LEAST_ORDERS, floor_of
from apm.work.model import Cost
from apm.work.states import CostKind, WorkState, WorkType
from predict.failure_soon import cost_threshold
from tests.apm.hospital import make_asset, make_work

pytestmark = pytest.mark.database


def closed_orders(ctx, kind, amount, currency):
    asset = make_asset(ctx)
    for _ in range(LEAST_ORDERS):
        order = make_work(ctx, asset, type=kind)
        with ctx.writing("test.close"):
            order.state, order.closed_at = WorkState.CLOSED, ctx.now()
            ctx.session.add(
                Cost(
                    work_order_id=order.id, kind=CostKind.VENDOR, amount=amount, currency=currency
                )
            )


@pytest.mark.parametrize("own", ["CNY", "USD"])
def test_the_floor_rests_on_costs_in_the_currency_of_the_hospital(as_, own):
    ctx = as_("wang")
    with ctx.writing("test.currency"):
        own_hospital(ctx).currency = own
    closed_orders(ctx, WorkType.PREVENTIVE, 30_000, "USD")
    closed_orders(ctx, WorkType.CORRECTIVE, 200_000, "USD")
    found = floor_of(ctx)
    if own == "USD":
        assert (found.planned, found.failure) == (30_000, 200_000)
        assert found.probability == cost_threshold(30_000, 200_000, 0.5)
    else:
        assert (found.planned, found.failure, found.n_planned) == (None, None, 0)
