"""The demo hospital's failures: three wait for a decision, and past ones measure the proposals."""

from __future__ import annotations

from sqlalchemy import select

from apm.analytics.causes import calibration, confirmed_cases, total_of
from apm.analytics.queries import hospital_period
from apm.attribution.model import Attribution
from apm.attribution.queries import cause_of
from apm.core.command import Context
from apm.work.model import WorkOrder
from predict.cause_table import Cause
from tests.apm.test_demo import ctx, desk, first_run, folder, pytestmark  # noqa: F401  (built once)


def test_a_hot_room_a_fall_and_age_are_proposed_and_nobody_has_decided(
    ctx: Context,  # noqa: F811
) -> None:
    query = (
        select(WorkOrder.no)
        .join(Attribution, Attribution.work_order_id == WorkOrder.id)
        .where(Attribution.confirmed_cause.is_(None))
        .order_by(Attribution.failed_at)
    )
    views = [cause_of(ctx, no) for no in ctx.session.scalars(query)]

    likeliest = [view.assessment.proposal.likeliest for view in views]
    assert likeliest == [Cause.ENVIRONMENT, Cause.USER, Cause.WEAR]
    hot = views[0].assessment.of("room_temperature")
    shown = [piece.kind for piece in views[0].assessment.proposal.pieces]
    assert (hot.level, hot.kind in shown) == ("long", True)
    assert all(view.is_frozen for view in views)


def test_past_causes_were_confirmed_so_that_proposals_can_be_measured(
    ctx: Context,  # noqa: F811
) -> None:
    cases = confirmed_cases(ctx, hospital_period(ctx))
    found = calibration(cases)

    assert total_of(cases).n >= 20
    assert found.proposed + found.open == len(cases)
    assert found.proposed >= 5
