"""Forecasts: made from the past alone, shown only when proved, opening work once and in time."""

import os
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from apm.alarms.rule_commands import Change, set_rule
from apm.assets.model import Asset, AssetState, Risk
from apm.core.errors import Invalid
from apm.core.permissions import Role
from apm.forecasts import artifact, soon, trends
from apm.forecasts.computing import each
from apm.forecasts.foretelling import foretell_all, foretell_some
from apm.forecasts.histories import histories
from apm.forecasts.kinds import Taught, ask, material
from apm.forecasts.leaks import find_leaks
from apm.forecasts.lifetimes import train
from apm.forecasts.model import (
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    ModelVersion,
)
from apm.forecasts.registry import Standing, active, decide_model, register
from apm.forecasts.training import train_kind
from apm.maintenance.commands import add_plan
from apm.maintenance.model import PlanMode, PlanTrigger, TriggerKind
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.wishes import Wanted
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from tests.apm.foretelling import PREDICTIVE, START, device, failure, falling, finish, fleet, on
from tests.queries import count_queries

NOW = 160
TREND = {"mtbf": {}, "mtbf_all": None}


def rows(ctx, model=Forecast, *where):
    query = select(model).where(*where).order_by(model.id)
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def predictive(ctx):
    return rows(ctx, WorkOrder, WorkOrder.type == PREDICTIVE)


def wearing(day):
    """A tube's output: falls by 0.1 a day from 27, with a ripple; 10 is passed on day 170."""
    return 27.0 - 0.1 * day + 0.05 * np.sin(7.0 * day)


def limited(ctx, sensor, limit=10.0):
    set_rule(
        on(ctx, NOW), sensor=sensor.code, key="low",
        change=Change(is_on=True, reason="maker's limit", limit=limit),
    )  # fmt: skip


@pytest.fixture
def tube(as_):
    """A CT whose tube wears towards its limit, and a model of trends that proved itself on it."""
    ctx = as_("system")
    asset = device(ctx, category="CT", name="CT scanner", name_zh="CT机", risk=Risk.HIGH)
    sensor = falling(ctx, asset, "TUBE", wearing, NOW)
    limited(ctx, sensor)
    still = device(ctx, category="CT")
    limited(ctx, falling(ctx, still, "OTHER", lambda day: 20.0 + 0.1 * np.sin(5 * day), NOW))
    return asset


def test_with_too_little_history_it_says_what_is_missing(as_, client, bearer):
    ctx = as_("system")
    alone = device(ctx)
    failure(ctx, alone, 30)
    done = foretell_all(on(ctx, 100))
    assert (done.trained, done.forecasts, done.assets) == (0, 0, 1)
    [row] = rows(ctx)
    assert row.needs == {"code": "failures", "have": 1, "need": 5}
    assert row.probabilities is None
    headers = bearer(Role.ENGINEER)
    said = client.get(f"/api/v1/assets/{alone.code}/forecast", headers=headers).get_json()
    assert (said["status"], said["needs"]["have"]) == ("not_enough_history", 1)


@pytest.mark.database
def test_a_model_that_beats_its_baseline_speaks_and_freezes_what_it_said(as_, client, bearer):
    ctx = as_("system")
    assets = fleet(ctx)
    device(as_("qin"))
    then = on(ctx, 700)
    train_kind(then, ModelKind.LIFE, why="first")
    done = foretell_all(then, train=False)
    life = active(then, ModelKind.LIFE)
    assert life is not None
    assert life.metrics["brier"] < life.metrics["base_brier"]
    assert life.metrics["failures"] >= 10
    assert done.forecasts >= len(assets)

    said = rows(ctx, Forecast, Forecast.kind == ModelKind.LIFE)
    assert len(said) == len(assets)
    chance = {row.asset_id: row.probabilities["90"] for row in said}
    bad = [chance[a.id] for a in assets[::2]]
    good = [chance[a.id] for a in assets[1::2]]
    assert np.mean(bad) > 2 * np.mean(good)
    assert 0.5 < np.mean(bad) < 0.95  # 1 - exp(-90 / 60) is 0.78
    assert all(r.life_low < r.life_median < r.life_high for r in said)
    frozen = rows(ctx, ForecastRecord, ForecastRecord.model_version_id == life.id)
    assert len(frozen) == len(assets)
    assert {(r.horizon_days, r.warned, r.was_shadow) for r in frozen} == {(90, False, False)}
    assert predictive(ctx) == []  # an older one fails no more than a new one: nothing to plan

    foretell_all(on(ctx, 700), train=False)
    own = ForecastRecord.model_version_id == life.id
    assert len(rows(ctx, ForecastRecord, own)) == len(frozen)

    headers = bearer(Role.ENGINEER)
    page = client.get("/api/v1/forecasts?kind=life&limit=5", headers=headers).get_json()
    ranks = [item["rank"] for item in page["items"]]
    assert len(ranks) == 5
    assert ranks == sorted(ranks, reverse=True)
    more = client.get(f"/api/v1/forecasts?limit=500&after={page['next']}", headers=headers)
    assert more.status_code == 200
    one = client.get(f"/api/v1/assets/{assets[0].code}/forecast", headers=headers).get_json()
    assert one["status"] == "ok"
    assert one["forecasts"][0]["model"] == {"kind": "life", "version": 1}


def test_a_category_of_three_devices_borrows_and_says_so_by_its_width(as_):
    ctx = as_("system")
    fleet(ctx, n=20, days=400)
    few = [device(ctx, category="VENT", manufacturer="Rare", model="R") for _ in range(3)]
    at = on(ctx, 400).now()
    known = histories(ctx, at)
    learnt = train(known)
    said = {
        one.asset_id: one
        for one in ask(Taught(ModelKind.LIFE, learnt.parameters), material(ctx, at))
    }
    rare = said[few[0].id]
    assert rare.life_median > 0
    assert rare.life_high / rare.life_low > 20  # by chance alone it would be 22 at any rate known
    own = next(one for one in rare.drivers if one["code"] == "own_history")
    assert own["failures"] == own["of_make"] == 0


@pytest.mark.database
def test_a_trend_opens_one_order_ahead_of_the_limit(as_, tube):
    ctx = as_("system")
    failures_before = len(rows(ctx, ForecastRecord))
    done = foretell_all(on(ctx, NOW))
    assert failures_before == 0
    trend = active(on(ctx, NOW), ModelKind.TREND)
    assert trend is not None
    assert trend.state_why["code"] == "beats_standing_still"
    assert done.orders == 1
    row = next(r for r in rows(ctx, Forecast) if r.kind is ModelKind.TREND and r.warns)
    assert (row.asset_id, row.life_median) == (tube.id, pytest.approx(10, abs=1))
    assert row.life_low <= 10 <= row.life_high
    assert row.path[0][2] == pytest.approx(11.0, abs=0.3)
    [order] = predictive(ctx)
    record = next(r for r in rows(ctx, ForecastRecord) if r.warned)
    assert (order.origin, record.work_order_no) == (f"forecast:{record.id}", order.no)
    assert order.due_on <= (START + timedelta(days=NOW + 10)).date()
    said = order.evidence
    assert (said["kind"], said["sensor"], said["model"]) == ("forecast", "TUBE", "trend")
    assert {"slope", "distance"} <= {one["code"] for one in said["drivers"]}
    assert "days" in said["sentences"]["en"]
    assert "天" in said["sentences"]["zh"]

    foretell_all(on(ctx, NOW + 1))
    foretell_some(on(ctx, NOW + 1.5), [tube.id])
    assert len(predictive(ctx)) == 1
    assert sum(r.warned for r in rows(ctx, ForecastRecord)) == 1


@pytest.mark.parametrize("how", ["dismissed", "done"])
def test_what_was_set_aside_or_done_does_not_warn_again_within_its_horizon(as_, tube, how):
    ctx = as_("system")
    foretell_all(on(ctx, NOW))
    [order] = predictive(ctx)
    record = next(r for r in rows(ctx, ForecastRecord) if r.warned)
    if how == "done":
        finish(ctx, order, NOW + 1)
    else:
        with on(ctx, NOW + 1).writing("test.dismiss"):
            record.dismissed_at = on(ctx, NOW + 1).now()
    foretell_all(on(ctx, NOW + 2))
    assert len(predictive(ctx)) == 1
    row = next(
        r for r in rows(ctx, Forecast, Forecast.asset_id == tube.id) if r.kind is ModelKind.TREND
    )
    assert not row.warns


def test_equipment_under_repair_or_out_of_use_is_not_sent_for(as_, tube):
    ctx = as_("system")
    failure(ctx, tube, NOW - 1, repaired_after=None)
    foretell_all(on(ctx, NOW))
    assert predictive(ctx) == []
    with on(ctx, NOW + 1).writing("test.retire"):
        ctx.session.get(Asset, tube.id).lifecycle = AssetState.RETIRED
    foretell_all(on(ctx, NOW + 1))
    assert rows(ctx, Forecast, Forecast.asset_id == tube.id) == []


def test_a_plan_that_listens_becomes_due_in_the_place_of_an_order(as_, tube):
    ctx = as_("system")
    engineer = as_("wang", now=lambda: START + timedelta(days=NOW))
    yearly = Rhythm(
        mode=PlanMode.FIXED, interval_months=12, anchor=date(2025, 6, 1), early_days=14,
        grace_days=14,
    )  # fmt: skip
    listens = Wanted(TriggerKind.PREDICTION, floor=0.5, horizon_days=40)
    plan = add_plan(engineer, asset=tube.code, template="CT", rhythm=yearly, triggers=(listens,))
    foretell_all(on(ctx, NOW))
    assert predictive(ctx) == []
    [trigger] = rows(ctx, PlanTrigger, PlanTrigger.plan_id == plan.id)
    assert trigger.value > 0.8
    assert trigger.due_on == (START + timedelta(days=NOW + 15)).date()
    assert "30" in trigger.detail["why"]


def test_a_shadow_is_frozen_and_judged_but_shows_no_number_and_opens_no_work(as_, tube):
    ctx = as_("system")
    made = train_kind(on(ctx, NOW), ModelKind.TREND, why="first")
    person = as_("wang", now=lambda: START + timedelta(days=NOW))
    with pytest.raises(Invalid):
        decide_model(person, kind=ModelKind.TREND, version=1, state=ModelState.MUTED, reason=" ")
    decide_model(person, kind=ModelKind.TREND, version=1, state=ModelState.MUTED, reason="try")
    foretell_all(on(ctx, NOW), train=False)
    assert predictive(ctx) == []
    shown = rows(ctx, Forecast, Forecast.kind == ModelKind.TREND)
    assert {row.needs["code"] for row in shown} == {"muted"}
    frozen = rows(ctx, ForecastRecord)
    assert {(r.model_version_id, r.was_shadow, r.warned) for r in frozen} == {
        (made.id, True, False)
    }


def test_a_newer_version_takes_over_only_as_active(as_):
    ctx = as_("system")
    fleet(ctx, n=10, days=300)
    then = on(ctx, 300)
    learnt = train(histories(ctx, then.now()))
    metrics = {"brier": 0.1, "base_brier": 0.2, "n": 50, "failures": 20}
    states = [ModelState.ACTIVE, ModelState.SHADOW, ModelState.ACTIVE]
    for state in states:
        register(
            then, kind=ModelKind.LIFE, trained=replace(learnt, data_hash=state.value),
            metrics=metrics, data_until=then.now(), trained_why="first",
            standing=Standing(state, {"code": "test"}),
        )  # fmt: skip
    assert [r.state for r in rows(ctx, ModelVersion)] == [
        ModelState.RETIRED, ModelState.RETIRED, ModelState.ACTIVE,
    ]  # fmt: skip


def pairs_of_failures(ctx):
    """Devices that fail twice within weeks, and then not for months: a pattern to learn."""
    rng = np.random.default_rng(4)
    for _ in range(40):
        asset = device(ctx)
        at = float(rng.uniform(20, 150))
        while at < 500:
            failure(ctx, asset, at)
            failure(ctx, asset, at + float(rng.uniform(15, 40)))
            at += float(rng.uniform(150, 300))


def test_what_goes_before_failures_is_learnt_and_a_changed_file_is_refused(as_):
    ctx = as_("system")
    pairs_of_failures(ctx)
    then = on(ctx, 520)
    known = histories(ctx, then.now())
    learnt = soon.train(known)
    made = register(
        then, kind=ModelKind.SOON, trained=learnt, metrics={}, data_until=then.now(),
        trained_why="first", standing=Standing(ModelState.ACTIVE, {"code": "test"}),
    )  # fmt: skip
    said = {one.asset_id: one for one in soon.foretell(known, learnt.parameters, learnt.artifact)}
    lately = {u.id: int((u.failures > known.now - 42).sum()) for u in known.units}
    chances = {
        n: np.mean([said[unit].probabilities["30"] for unit in lately if lately[unit] == n])
        for n in (0, 1, 2)
    }
    assert chances[1] > 1.5 * chances[0]
    assert chances[1] > 1.5 * chances[2]

    artifact.check(made)
    with then.writing("test.tamper"):
        made.artifact = made.artifact[:-1] + bytes([made.artifact[-1] ^ 1])
    with pytest.raises(artifact.Unreadable, match="SHA-256"):
        artifact.check(made)
    foretell_all(then, train=False)
    assert rows(ctx, ModelVersion)[0].state_why["code"] == "unreadable"
    with pytest.raises(artifact.Unreadable, match="holds types"):
        artifact.unpack(artifact.pack({"run": print_it}))
    with pytest.raises(artifact.Unreadable, match="cannot be read"):
        artifact.unpack(b"not a model")
    with then.writing("test.age"):
        made.artifact, made.made_with = learnt.artifact, {"scikit-learn": "0.1"}
    with pytest.raises(artifact.Unreadable, match=r"scikit-learn 0\.1"):
        artifact.check(made)


def print_it(text: str) -> str:
    """A function that a foreign file might want us to load."""
    return text


def test_the_statements_of_a_list_do_not_grow_with_it(as_, client, bearer, engine):
    ctx = as_("system")
    headers = bearer(Role.ENGINEER)
    counts = []
    for n in (3, 6):
        for _ in range(n):
            device(ctx)
        foretell_all(on(ctx, 50 + n))
        with count_queries(engine) as sent:
            found = client.get("/api/v1/forecasts", headers=headers).get_json()
        assert len(found["items"]) == ctx.session.scalar(select(func.count(Forecast.id)))
        counts.append(len(sent))
    assert counts[0] == counts[1]


def double(numbers: list[float]) -> list[float]:
    """A piece of work for a cluster."""
    return [2.0 * number for number in numbers]


def test_a_cluster_that_does_not_answer_is_named(as_):
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with pytest.raises(Invalid, match="Dask"):
        each(double, [[1.0]], "dask://127.0.0.1:1")


def test_a_dask_cluster_of_two_processes_says_the_same(as_, tube, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    ctx = as_("system")
    taught = Taught(ModelKind.TREND, TREND)
    given = material(ctx, on(ctx, NOW).now())
    monkeypatch.setattr(trends, "CHUNK", 1)  # a piece of work for each of the two
    here = ask(taught, given)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        protocol="tcp", host="127.0.0.1", local_directory=str(tmp_path),
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        with distributed.Client(cluster) as client:
            workers = set(client.run(os.getpid).values())
        assert len(workers - {os.getpid()}) == 2
        assert each(double, [[1.0], [2.0]], address) == [[2.0], [4.0]]
        assert ask(taught, given, address) == here
    assert any(said.life_median for said in here)


def test_a_trend_of_the_past_knows_the_sensors_and_limits_of_then(as_, tube):
    ctx = as_("system")
    then, later = on(ctx, NOW).now(), on(ctx, NOW + 5)
    before = material(ctx, then, [ModelKind.TREND]).courses
    add_sensor(
        later, code="LATE", name="Brought later", quantity="output", unit="mGy", asset=tube.code
    )
    past = [{"sensor": "LATE", "at": START + timedelta(days=k), "value": 30.0} for k in range(NOW)]
    ingest(later, past)
    merge_inbox(later)
    for code in ("TUBE", "LATE"):
        set_rule(
            later, sensor=code, key="low",
            change=Change(is_on=True, reason="the maker says so now", limit=12.0),
        )  # fmt: skip

    after = material(on(ctx, NOW + 6), then, [ModelKind.TREND]).courses
    assert [(one.sensor_id, one.low) for one in after] == [(o.sensor_id, o.low) for o in before]
    assert {one.low for one in before} == {10.0}
    present = material(later, on(ctx, NOW + 6).now(), [ModelKind.TREND]).courses
    assert sorted(one.low for one in present) == [10.0, 12.0, 12.0]
    assert find_leaks(on(ctx, NOW + 6), ModelKind.TREND, then) == []


def test_a_past_instant_is_foretold_only_by_models_that_did_not_know_better(as_, tube):
    ctx = as_("system")
    foretell_all(on(ctx, NOW))
    n = len(rows(ctx, ForecastRecord))
    foretell_all(on(ctx, NOW), at=START + timedelta(days=100))
    assert len(rows(ctx, ForecastRecord)) == n
    assert min(r.at for r in rows(ctx, Forecast)) == START + timedelta(days=NOW)


def test_the_day_of_the_hospital_is_what_an_order_is_due_by(as_, tube):
    ctx = as_("system")
    foretell_all(on(ctx, NOW))
    [order] = predictive(ctx)
    assert isinstance(order.due_on, date)
    assert order.late_after == order.due_on
    assert order.state is WorkState.PLANNED
