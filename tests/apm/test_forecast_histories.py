"""Records as of an instant: whatever happens or is found out later, the past stays as it was."""

from dataclasses import fields

import numpy as np
import pytest

from apm.assets.model import AssetState
from apm.core.command import Context
from apm.forecasts.happened import happened_to
from apm.forecasts.histories import days_of, histories
from apm.forecasts.judging import Kind
from apm.parts.issuing import give_back, issue
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from tests.apm.foretelling import PREDICTIVE, START, device, failure, finish, fleet, on
from tests.apm.hospital import make_work, start_work
from tests.apm.stockroom import stocked


def seen(ctx: Context, day: float) -> list[dict[str, object]]:
    """What was known on a day, as plain values."""
    known = histories(ctx, on(ctx, day).now())
    return [
        {
            f.name: value.tolist() if isinstance(value, np.ndarray) else value
            for f in fields(unit)
            if (value := getattr(unit, f.name)) is not None and f.name != "logs"
        }
        for unit in known.units
    ]


@pytest.mark.database
def test_what_comes_later_changes_nothing_that_was_known_before(as_):
    ctx = as_("system")
    first, second = device(ctx), device(ctx, 10, manufacturer="Acme", model="M1")
    failure(ctx, first, 30)
    open_one = failure(ctx, second, 50, repaired_after=None)
    doubtful = failure(ctx, first, 55, repaired_after=None)
    away = device(ctx, 20)
    before = seen(ctx, 60)

    finish(ctx, open_one, 70, cause_code="NPF")  # it was no failure, as turns out
    finish(ctx, doubtful, 71, state=WorkState.CANCELLED)
    with on(ctx, 80).writing("test.later"):
        away.lifecycle = AssetState.RETIRED
        second.model, second.category = "M2", "VENT"
    device(ctx, 90)
    failure(ctx, first, 95)

    assert seen(ctx, 60) == before
    assert [len(unit["failures"]) for unit in before] == [2, 1, 0]
    after = seen(ctx, 100)
    assert [len(unit["failures"]) for unit in after] == [2, 0, 0, 0]
    assert [unit["is_running"] for unit in after] == [True, True, False, True]
    assert after[1]["make"] == "VENT|Acme|M2"


def test_time_away_is_no_time_at_risk_and_a_report_during_a_repair_no_second_failure(as_):
    ctx = as_("system")
    asset = device(ctx)
    failure(ctx, asset, 20, repaired_after=10)
    failure(ctx, asset, 25)
    for day, state in ((40, AssetState.STANDBY), (70, AssetState.IN_SERVICE)):
        with on(ctx, day).writing("test.move"):
            asset.lifecycle = state
    [unit] = histories(ctx, on(ctx, 100).now()).units
    start = days_of(START)
    assert unit.failures.tolist() == [start + 20]
    assert [(a, b, f) for a, b, f in unit.lives()] == [
        (0.0, 20.0, True),
        (0.0, 20.0, False),
        (50.0, 80.0, False),
    ]


def test_equipment_older_than_the_records_counts_from_them(as_):
    ctx = as_("system")
    old = device(ctx, 0, in_service_on=START.date().replace(year=2015))
    [unit] = histories(ctx, on(ctx, 100).now()).units
    assert unit.id == old.id
    assert not unit.is_from_new
    assert unit.lives() == [(0.0, 100.0, False)]


def test_another_hospital_is_not_in_our_records(as_):
    ctx, south = as_("system"), as_("qin")
    own = device(ctx)
    theirs = device(south)
    failure(south, theirs, 5)
    known = histories(ctx, on(ctx, 100).now())
    assert [unit.id for unit in known.units] == [own.id]
    assert known.failures == 0


def test_the_statements_do_not_grow_with_the_equipment(as_, engine):
    from tests.queries import count_queries

    ctx = as_("system")
    fleet(ctx, n=2, days=100)
    at = on(ctx, 100).now()
    with count_queries(engine) as few:
        histories(ctx, at)
    fleet(ctx, n=6, days=100, seed=2)
    with count_queries(engine) as many:
        assert len(histories(ctx, at).units) == 8
    assert len(many) == len(few) <= 12


def test_planned_work_is_upkeep_and_no_failure(as_):
    ctx = as_("system")
    asset = device(ctx)
    order = make_work(on(ctx, 30), asset, type="preventive")
    finish(ctx, order, 31)
    [unit] = histories(ctx, on(ctx, 60).now()).units
    assert unit.upkeep.tolist() == [days_of(START) + 31]
    assert len(unit.failures) == 0


def test_what_planned_work_found_and_had_mended_renews_and_is_no_failure(as_):
    ctx = as_("system")
    asset = device(ctx)
    failure(ctx, asset, 30, repaired_after=5, origin="failed:WO-2025-000001")

    [unit] = histories(ctx, on(ctx, 60).now()).units

    assert unit.failures.tolist() == []
    assert (unit.renewals - days_of(START)).round(2).tolist() == [35.0]


@pytest.mark.database
@pytest.mark.parametrize(
    ("is_consumable", "returned", "renews"),
    [(False, 0, True), (False, 1, False), (True, 0, False)],
)
def test_only_a_spare_part_that_stayed_in_the_equipment_renews_it(
    as_, is_consumable, returned, renews
):
    ctx, clock = as_("system"), {"now": on(as_("system"), 31).now}
    asset = device(ctx)
    order = make_work(on(ctx, 30), asset, type=PREDICTIVE)
    part = stocked(as_("wang", **clock), 5, is_consumable=is_consumable)
    start_work(as_("chen", **clock), as_("wang", **clock), order)
    [move] = issue(as_("chen", **clock), no=order.no, part_id=part.id, quantity=1)
    if returned:
        give_back(as_("chen", **clock), no=order.no, move_id=move.id, quantity=returned)
    finish(ctx, ctx.session.get(WorkOrder, order.id, populate_existing=True), 32)

    [unit] = histories(ctx, on(ctx, 60).now()).units
    [found] = happened_to(on(ctx, 60), [asset.id], START)[asset.id]

    assert (len(unit.renewals) == 1) is renews
    assert (found.kind is Kind.FOUND) is renews
