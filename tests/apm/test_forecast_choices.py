"""What each way to act on a forecast costs, and which work is best done in one visit."""

from __future__ import annotations

import re
from datetime import timedelta
from math import inf

import pytest

from apm.assets.model import Asset
from apm.forecasts.asset_view import forecasts_of
from apm.forecasts.choosing import Way, choices_of
from apm.forecasts.model import ModelKind, ModelVersion
from apm.forecasts.replacing import wear_of
from apm.forecasts.together import together
from apm.readings.commands import add_sensor
from apm.work.commands import open_work
from apm.work.states import WorkType
from predict.options import options
from tests.apm.foretold import foretell, make_model
from tests.apm.hospital import make_asset

pytestmark = pytest.mark.database


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def wearing(as_, place, *, low=17.0, median=21.0, who="wang"):
    """A CT whose tube reaches its limit in about three weeks, after 180 days of wear."""
    ctx = as_(who)
    asset = make_asset(ctx, "CT", name="CT scanner", name_zh="CT机", department=place)
    code = f"TUBE-{asset.code}"
    sensor = add_sensor(
        ctx, code=code, name="Output", quantity="output", unit="mGy", asset=asset.code
    )
    system = as_("system") if who == "wang" else ctx
    model = system.session.query(ModelVersion).first() or make_model(system, ModelKind.TREND)
    drivers = [{"code": "since_change", "weight": 0.1, "days": 180}]
    said, _record = foretell(
        system, asset, model, sensor=sensor, life_low=low, life_median=median, drivers=drivers
    )
    return asset, said


def pm(as_, asset, days):
    """Planned work due in so many days."""
    ctx = as_("wang")
    return open_work(
        ctx, type=WorkType.PREVENTIVE, title="Maintenance", asset=ctx.session.get(Asset, asset.id),
        due_on=(ctx.now() + timedelta(days=days)).date(),
    )  # fmt: skip


def test_each_way_is_weighed_with_the_same_life_and_money(as_, login):
    asset, said = wearing(as_, "Radiology")
    late = pm(as_, asset, 60)
    ctx = as_("wang")
    found = choices_of(ctx, ctx.session.get(Asset, asset.id), [said])[said.id]

    assert not found.money.is_own  # no order with costs: five planned visits a failure
    by_way = {one.way: one for one in found.ways}
    assert found.ways[0].way is Way.BEST
    assert by_way[Way.VISIT].order == late.no
    assert by_way[Way.VISIT].failed == pytest.approx(1.0)
    assert by_way[Way.FAILURE].extra >= by_way[Way.VISIT].extra > by_way[Way.NOW].extra > 0.0
    # By brute force over all days: none is cheaper than the best.
    wear = wear_of(said, asset, found.money)
    assert wear.job.life.reliability(201.0) == pytest.approx(0.5)
    days = [(float(day), 1.0) for day in range(60)] + [(inf, 1.0)]
    costs = [
        one.cost for one in options(wear.job.life, 180.0, days, failure=2.5, rate=wear.policy.cost)
    ]
    best = (by_way[Way.BEST].on - ctx.now().date()).days
    assert abs(costs.index(min(costs)) - best) <= 1
    assert by_way[Way.NOW].extra == pytest.approx(costs[0] - min(costs), abs=1e-3)

    page = text_of(login("chen").get(f"/assets/{asset.code}/forecast?lang=en").text)
    assert "Cheapest: By itself, at the best moment." in page
    assert "a failure is taken to cost 5 planned visits" in page
    assert late.no in page
    assert "等到发生故障" in login("chen").get(f"/assets/{asset.code}/forecast?lang=zh").text


def test_work_that_is_due_at_the_same_place_and_time_is_put_together(as_, login):
    first, _said = wearing(as_, "Radiology")
    wearing(as_, "Radiology", low=19.0, median=23.0)
    other, _said = wearing(as_, "Surgery")
    wearing(as_, "Radiology", who="qin")

    [visit] = together(as_("wang")).visits
    assert visit.department.name == "Radiology"
    assert len(visit.forecasts) == 2
    assert visit.order is None
    assert 0.0 < visit.saved <= 0.3  # a visit less, and a little for moving two works
    best = {
        one: wear_of(one, one.asset, together(as_("wang")).money).wait for one in visit.forecasts
    }
    waits = sorted(best.values())
    assert waits[0] - 1 <= (visit.on - as_("wang").now().date()).days <= waits[1] + 1

    near = pm(as_, make_asset(as_("wang"), "DR", department="Surgery"), 7)
    pm(as_, other, 80)  # too late: it would have failed
    visits = together(as_("wang")).visits
    joined = next(one for one in visits if one.order)
    assert (joined.order.no, [one.asset.code for one in joined.forecasts]) == (
        near.no,
        [other.code],
    )
    assert len(visits) == 2
    page = text_of(login("chen").get("/fleet?lang=en").text)
    assert "Do these together in one visit" in page
    assert near.no in page
    assert first.number in page
    assert "建议一次到场" in login("chen").get("/fleet?lang=zh").text


def test_what_fails_by_chance_is_not_worth_planned_work(as_, login):
    system = as_("system")
    asset = make_asset(as_("wang"), name="Monitor")
    model = make_model(system)
    with system.writing("test.model"):
        model.parameters = {"shape": 1.0, "makes": {"": [0.002, 5.0, 0.5, 4]}}
    drivers = [
        {
            "code": "since_failure",
            "weight": 0.1,
            "days": 200.0,
            "typical_days": 300.0,
            "ratio": 1.0,
        },
        {"code": "failures_last_year", "weight": 0.1, "n": 1, "ratio": 1.5},
    ]
    foretell(system, asset, model, drivers=drivers)

    [one] = forecasts_of(system, asset).foretold
    [found] = choices_of(system, asset, [one.forecast]).values()

    assert (found.pays, found.ways[0].way) == (False, Way.FAILURE)
    assert found.ways[-1].extra == pytest.approx(
        1.0
    )  # acting now costs a visit, and saves nothing
    assert together(as_("wang")).visits == []
    page = login("chen").get(f"/assets/{asset.code}/forecast?lang=en").text
    assert "such equipment fails by chance" in page
