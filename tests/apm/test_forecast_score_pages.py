"""The pages of scores and models: what they say in both languages, and what people may do."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from apm.assets.model import AssetState
from apm.core.audit import AuditEntry
from apm.core.clock import utc_now
from apm.forecasts.deciding import train_wished
from apm.forecasts.model import ForecastRecord, ModelKind, ModelState, ModelVersion, Outcome
from apm.forecasts.score_keeping import count_scores
from apm.work.states import AsFound
from tests.apm.hospital import make_asset, make_work
from tests.apm.judged import make_version, record_of
from tests.conftest import PASSWORD
from tests.queries import count_queries

CARD = "/fleet/models/life/1"


@pytest.fixture
def scored(as_):
    """Forty judged forecasts of ten devices: the bad ones fail, the good ones do not."""
    began = utc_now() - timedelta(days=200)
    wang = as_("wang", now=lambda: began)
    version = make_version(as_("system", now=lambda: began))
    rows = []
    for k in range(10):
        asset = make_asset(wang, name=f"=Pump {k}", lifecycle=AssetState.IN_SERVICE)
        for month in range(4):
            at = began + timedelta(days=31 * month)
            fails = k < 3
            outcome = Outcome.HIT if fails else Outcome.QUIET
            facts = {
                "probability": 0.8 if fails else 0.05,
                "base_probability": 0.3,
                "warned": fails,
                "outcome": outcome,
                "outcome_at": at + timedelta(days=12 if fails else 30),
                "outcome_why": {"code": "failure", "order": f"WO-{k}-{month}"}
                if fails
                else {"code": "horizon"},
            }
            rows.append(record_of(version, asset.id, at, **facts))
    ctx = as_("system")
    with ctx.writing("test.records"):
        ctx.session.add_all(rows)
    return version


def test_without_a_model_the_pages_say_what_is_needed(login):
    wang = login("wang")
    page = wang.get("/analytics/forecasts")
    assert page.status_code == 200
    assert "There is no model yet" in page.text
    assert "There is no model of this kind yet." in wang.get("/fleet/models").text
    assert wang.get(CARD).status_code == 404
    assert "还没有模型" in wang.get("/analytics/forecasts?lang=zh").text


def test_the_scorecard_shows_each_figure_with_its_doubt_beside_simple_rules(login, scored):
    page = login("zhao").get("/analytics/forecasts").text
    assert "12 of 12; likely" in page  # warnings that were right
    assert "12 of 40; likely" in page  # those of one who always warns
    assert "12 days" in page  # lead time
    assert "Brier score 0.014 against 0.21" in page
    assert "Too few to say" in page  # no interval was said
    assert "No warning has been acted on and judged yet" in page  # what was saved


def test_pages_show_the_score_that_the_worker_counted_last(as_, login, scored):
    wang = login("wang")

    def scorecard():
        return re.sub(r"Counted .*?, anew every hour", "", wang.get("/analytics/forecasts").text)

    before = scorecard()

    assert count_scores(as_("system")) == 1

    assert scorecard() == before
    assert "12 of 12; likely" in wang.get(CARD).text
    ctx, other = as_("system"), make_asset(as_("wang"))
    with ctx.writing("test.records"):
        ctx.session.add(record_of(scored, other.id, scored.trained_at))
    assert scorecard() == before
    count_scores(as_("system"))
    assert scorecard() != before


def test_a_page_does_not_count_what_takes_seconds(as_, login, scored, monkeypatch):
    monkeypatch.setattr("apm.forecasts.score_keeping.MOST_IN_A_PAGE", 39)
    wang = login("wang")
    for page in ("/analytics/forecasts", CARD):
        assert "The worker does it within the hour" in wang.get(page).text
    [score] = wang.get("/api/v1/forecasts/scores").json["items"]
    assert (score["counted_at"], score["horizons"]) == (None, [])
    count_scores(as_("system"))
    assert "12 of 12; likely" in wang.get(CARD).text


def test_a_scorecard_takes_as_many_statements_for_many_forecasts_as_for_few(
    as_, scored, login, engine
):
    wang = login("wang")
    assert wang.get("/analytics/forecasts").status_code == 200
    with count_queries(engine) as few:
        wang.get("/analytics/forecasts")
    ctx = as_("system")
    more = [
        record_of(scored, make_asset(as_("wang")).id, scored.trained_at, outcome=Outcome.MISS)
        for _ in range(12)
    ]
    with ctx.writing("test.records"):
        ctx.session.add_all(more)
    with count_queries(engine) as many:
        wang.get("/analytics/forecasts")
    assert len(many) == len(few)


def test_a_model_card_says_what_it_is_for_and_what_it_rests_on(login, scored):
    page = login("chen").get(CARD).text
    assert "Decision support, not a safety interlock." in page
    assert "Brier score 0.11, baseline 0.15" in page
    assert "scipy 1.17.0" in page
    assert "Change what it may do" not in page  # a technician reads
    assert "Change what it may do" in login("wang").get(CARD).text


def test_the_file_has_every_forecast_and_no_formulas(as_, login, scored):
    asset = make_asset(as_("wang"), number="=2+5")
    ctx = as_("system")
    with ctx.writing("test.record"):
        ctx.session.add(record_of(scored, asset.id, scored.trained_at))
    lines = login("wang").get(f"{CARD}/records.csv").text.splitlines()
    assert len(lines) == 42
    assert any("'=2+5" in line for line in lines)


def test_an_engineer_mutes_a_model_under_their_name_and_lets_it_work_again(as_, login, scored):
    wang = login("wang")
    said = {"state": "muted", "reason": "Ward moved", "password": "wrong"}
    refused = wang.post(f"{CARD}/state", data=said)
    assert refused.status_code == 422
    assert "The password is wrong" in refused.text
    assert wang.post(f"{CARD}/state", data={**said, "reason": ""}).status_code == 422
    assert wang.post(f"{CARD}/state", data={**said, "password": PASSWORD}).status_code == 303
    ctx = as_("wang")
    row = ctx.session.get(ModelVersion, scored.id)
    assert row.state is ModelState.MUTED
    assert (row.state_why["reason"], row.state_why["signed"]) == ("Ward moved", "password")
    assert ctx.session.query(AuditEntry).filter_by(command="model.decide").count()
    assert "Decided by wang@north.example: Ward moved" in wang.get(CARD).text
    assert login("chen").post(f"{CARD}/state", data=said).status_code == 403
    assert login("qin").post(f"{CARD}/state", data=said).status_code == 404


def test_a_wish_to_train_is_answered_by_the_worker(as_, login, scored):
    wang = login("wang")
    assert wang.post(f"{CARD}/train").status_code == 303
    assert "asked for a new training" in wang.get(CARD).text
    assert train_wished(as_("system")) == []
    assert "The last training had too little history." in wang.get(CARD).text
    assert train_wished(as_("system")) == []


def test_what_was_found_is_put_right_on_the_page_of_the_forecast(as_, login, scored):
    began = datetime.now(UTC) - timedelta(days=40)
    wang = as_("wang", now=lambda: began)
    asset = make_asset(wang, lifecycle=AssetState.IN_SERVICE)
    order = make_work(wang, asset, type="predictive", evidence={"kind": "forecast"})
    ctx = as_("system")
    with ctx.writing("test.record"):
        record = record_of(scored, asset.id, began, work_order_no=order.no)
        ctx.session.add(record)
    page = f"/fleet/records/{record.id}"
    browser = login("wang")
    assert "Was something else found?" not in browser.get(page).text
    early = browser.post(f"{page}/as-found", data={"as_found": "wear"})
    assert early.status_code == 409
    with ctx.writing("test.done"):
        found = ctx.session.merge(order)
        found.done_at, found.as_found = began + timedelta(days=3), AsFound.NOTHING
    assert browser.post(f"{page}/as-found", data={}).status_code == 422
    said = {"as_found": "wear", "note": "Bearing worn"}
    assert browser.post(f"{page}/as-found", data=said).status_code == 303
    shown = browser.get(page).text
    assert "The technician found wear that would have led to a failure" in shown
    assert "Bearing worn" in shown
    assert as_("wang").session.get(ForecastRecord, record.id).outcome is Outcome.AVERTED
    assert login("qin").get(page).status_code == 404


def test_a_muted_model_says_so_with_its_figures(as_, login):
    why = {"code": "worse_than_baseline", "skill": -0.4, "low": -0.6, "high": -0.2, "n": 80}
    make_version(as_("system"), kind=ModelKind.SOON, state=ModelState.MUTED, state_why=why)
    page = login("wang").get("/analytics/forecasts").text
    assert "Muted: worse than the baseline. Its skill is -0.4 (-0.6 to -0.2) in 80" in page
