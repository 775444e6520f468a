"""Why a forecast says what it says: facts that add up, past cases that were, what is blamed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sqlalchemy import select

from apm.alarms.rule_commands import Change, set_rule
from apm.assets.queries import asset_by_code
from apm.core.permissions import Role
from apm.forecasts.explaining import explanation_of
from apm.forecasts.foretelling import foretell_all
from apm.forecasts.histories import LOGS, days_of, histories
from apm.forecasts.kinds import material, train
from apm.forecasts.model import Forecast, ModelKind, ModelState
from apm.forecasts.moments import features, moments, paces
from apm.forecasts.registry import Standing, register
from apm.forecasts.why_keeping import explain_due
from apm.parts.issuing import issue
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from predict.pooled_life import Rate
from tests.apm.foretelling import device, falling, finish, fleet, on
from tests.apm.hospital import make_work, start_work
from tests.apm.stockroom import stocked

pytestmark = pytest.mark.database
DAYS = 600


def put_to_work(ctx, kind, day):
    """A model taught by what is known on a day, at work without having proved itself."""
    then = on(ctx, day)
    register(
        then, kind=kind, trained=train(kind, material(then, then.now(), [kind])), metrics={},
        data_until=then.now(), trained_why="first",
        standing=Standing(ModelState.ACTIVE, {"code": "test"}),
    )  # fmt: skip
    foretell_all(then, train=False)


@pytest.fixture
def lived(as_):
    """Sixteen monitors over 600 days, every other one of a bad make, and what is foretold."""
    ctx = as_("system")
    assets = fleet(ctx, n=16, days=DAYS)
    put_to_work(ctx, ModelKind.LIFE, DAYS)
    return assets


def test_what_facts_add_is_the_forecast_and_cases_are_what_was(as_, login, lived):
    ctx = on(as_("system"), DAYS + 30)
    said = ctx.session.scalar(
        select(Forecast).where(Forecast.asset_id == lived[0].id, Forecast.kind == ModelKind.LIFE)
    )
    [one] = explanation_of(ctx, asset_by_code(ctx, lived[0].code)).explained

    # Facts: the chance is the one foretold, all as usual is a new device of its category.
    blame, parameters = one.blame, one.forecast.model.parameters
    assert blame.chance == pytest.approx(said.probabilities["90"], abs=1e-4)
    assert blame.chance - blame.usual == pytest.approx(sum(f.change for f in blame.facts))
    known = histories(ctx, said.at)
    unit = next(each for each in known.units if each.id == lived[0].id)
    sure = float(parameters["makes"][unit.make][1])  # at least: its own failures come on top
    rate = parameters["makes"]["MON|"][0]
    bounds = [Rate(parameters["shape"], rate, k).fails_within(0.0, 90) for k in (1.0, 1e9)]
    assert sure > 1.0
    assert bounds[0] <= blame.usual <= bounds[1]
    make = next(fact for fact in blame.facts if fact.code == "life_make")
    assert make.now > 1.0
    assert make.change > 0.0

    # Cases: one moment a device, over by now, told by what was known then alone.
    found = one.cases
    distances = [case.distance for case in found.nearest]
    assert len({case.asset.id for case in found.nearest}) == len(found.nearest) == 5
    units = {each.id: each for each in known.units}
    for case in found.nearest:
        at = days_of(case.at)
        assert at + 90.0 <= known.now
        then = next(each for each in histories(ctx, case.at).units if each.id == case.asset.id)
        assert case.told.failures == int((then.reported > at - 365.0).sum())
        later = units[case.asset.id].failures
        later = later[(later > at) & (later <= at + 90.0)]
        assert (case.failed_at is not None) == bool(len(later))
        if case.failed_at is not None:
            order = ctx.session.scalar(select(WorkOrder).where(WorkOrder.no == case.order))
            assert (order.asset_id, days_of(order.created_at)) == (
                case.asset.id, pytest.approx(later[0]),
            )  # fmt: skip

    # By brute force: no device has a nearer moment.
    kinds = sorted(LOGS)
    past = moments(known, 90, kinds)
    judged = past.at <= known.now - 90.0
    assert (found.of, found.failed) == (judged.sum(), past.label[judged].sum())
    moment = np.array([known.now])
    now = features(unit, moment, paces(known)["MON"].at(moment), kinds)
    rows = np.vstack([past.rows[judged], now])
    rows[:, np.arange(rows.shape[1]) != 1] = np.log1p(rows[:, np.arange(rows.shape[1]) != 1])
    spread = rows[:-1].std(axis=0)
    off = ((rows[:-1] - rows[-1]) / np.where(spread > 0, spread, 1.0))[:, spread > 0]
    away = np.sqrt((off**2).mean(axis=1))
    who = past.unit[judged]
    nearest = sorted(away[who == each].min() for each in np.unique(who))
    assert distances == pytest.approx(nearest[:5])

    # Signs before failures are explained by the worker, by kinds of events; they sum too.
    put_to_work(ctx, ModelKind.SOON, DAYS)
    assert explain_due(ctx) == len(lived)
    _life, one = explanation_of(ctx, asset_by_code(ctx, lived[0].code)).explained
    said, blame = one.forecast, one.blame
    assert blame.chance == pytest.approx(said.probabilities["30"], abs=1e-4)
    assert blame.chance - blame.usual == pytest.approx(sum(f.change for f in blame.facts))
    failures = next(fact for fact in blame.facts if fact.code == "soon_failures")
    now = days_of(said.at)
    assert failures.now == (unit.reported > now - 365.0).sum()
    assert failures.last == pytest.approx(now - unit.reported[-1])
    assert (one.cases.days, one.cases.of) == (30, (past.at <= now - 30.0).sum())
    page = login("wang").get(f"/assets/{lived[0].code}/forecast/why?lang=zh").text
    assert "近 365 天的故障次数" in page


def test_the_page_says_it_in_words_and_links_what_was(as_, login, client, bearer, lived):
    ctx, wang, chen = as_("system"), as_("wang"), as_("chen")
    cell = stocked(wang, 9, name="Oxygen cell", name_zh="氧电池")
    for k in range(6):  # six repairs, four of which took the part, two found a worn battery
        order = make_work(on(ctx, DAYS - 30), asset_by_code(ctx, lived[2].code))
        start_work(chen, wang, order)
        if k < 4:
            issue(chen, no=order.no, part_id=cell.id, quantity=1)
        ctx.session.refresh(order)
        finish(ctx, order, DAYS - 29, state=WorkState.DONE, cause_code="BATT" if k < 2 else None)
    address = f"/assets/{lived[0].code}/forecast/why"

    page = login("chen").get(address).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    chinese = login("chen").get(f"{address}?lang=zh").text
    said = client.get(f"/api/v1{address}", headers=bearer(Role.ENGINEER)).get_json()

    assert "If everything were as usual it would be" in text
    assert "How often its make fails, against its category" in text
    assert "of the 5 most similar past situations" in text
    assert "This equipment now" in text
    assert "氧电池" in chinese
    assert "最相似" in chinese
    [life] = said["forecasts"]
    failed = [case for case in life["cases"]["nearest"] if case["after_days"] is not None]
    assert all(f'href="/work-orders/{case["work_order"]}"' in page for case in failed)
    assert said["components"][0]["part"] == cell.number
    assert said["components"][0]["n"] == 4
    assert said["repairs"] > 6
    assert login("qin").get(address).status_code == 404

    nothing = login("chen").get(f"/assets/{device(ctx, 0).code}/forecast/why")
    assert (nothing.status_code, "There is no forecast to explain" in nothing.text) == (200, True)


def test_a_trend_is_explained_by_the_worker_and_compared_with_one_that_passed(
    as_, login, monkeypatch
):
    ctx = as_("system")

    def worn(end):
        return lambda day: 12.0 + 0.1 * (end - day) + 0.05 * np.sin(7.0 * day)

    for code, end in (("OLD", 100), ("NEW", 175), ("STILL", 4000)):
        asset = device(ctx, category="CT", name="CT scanner")
        falling(ctx, asset, code, worn(end), 160)
        set_rule(
            on(ctx, 0.5), sensor=code, key="low",
            change=Change(is_on=True, reason="maker's limit", limit=12.0),
        )  # fmt: skip
        if code == "NEW":
            wearing = asset
    put_to_work(ctx, ModelKind.TREND, 160)

    address = f"/assets/{wearing.code}/forecast/why?lang=en"
    nothing = login("wang").get(address).text
    assert "The worker does so within minutes" in nothing

    assert explain_due(ctx) == 3
    assert explain_due(ctx) == 0
    asset = asset_by_code(ctx, wearing.code)
    [one] = explanation_of(on(ctx, 160), asset).explained

    # The stretches sum to the whole; the newest readings show that the limit is near.
    said = one.forecast
    assert one.at == said.at
    assert one.blame.days == 30
    assert one.blame.chance == pytest.approx(said.probabilities["30"], abs=1e-4)
    parts = sum(fact.change for fact in one.blame.facts)
    assert one.blame.chance - one.blame.usual == pytest.approx(parts)
    assert one.cases.now.per_day == pytest.approx(-0.1, abs=0.01)
    first = one.cases.nearest[0]
    assert first.sensor.code == "OLD"  # the other that was as near its limit and as fast
    passed = days_of(on(ctx, 100).now())
    assert first.after_days == pytest.approx(passed - days_of(first.at), abs=3)
    page = login("wang").get(address).text
    assert f"Past its limit after {first.after_days} days" in page
    assert "Mean of the readings" in page
    assert "All together" in page

    # No page fits a model; a newer forecast is explained by the worker, and till then the last.
    foretell_all(on(ctx, 161), train=False)
    monkeypatch.setattr("predict.degradation.heading", None)
    page = login("wang").get(address).text
    assert "Past its limit after" in page
    assert "Not the newest" in page
