"""The forecast of one asset in words and pictures, and what people do with it."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from statsmodels.stats.proportion import proportion_confint

from apm.accounts.queries import system_actor
from apm.core.clock import local_day
from apm.core.command import Context
from apm.core.errors import Conflict, NotFound
from apm.forecasts.fleet import asking_without_work
from apm.forecasts.handling import dismiss_forecast, schedule_forecast
from apm.forecasts.model import (
    Dismissal,
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    ModelVersion,
    Outcome,
)
from apm.readings.commands import add_sensor, ingest
from apm.work.commands import open_work
from apm.work.queries import work_order
from apm.work.states import WorkType
from apm.worker.delivery import deliver
from tests.apm.foretold import foretell, freeze, make_model
from tests.apm.hospital import make_asset

pytestmark = pytest.mark.database


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture
def vent(as_):
    return make_asset(as_("wang"), "VENT", name="Ventilator 7", name_zh="呼吸机7")


@pytest.fixture
def warned(as_, vent):
    """A warning of a model at work, and its frozen form."""
    system = as_("system")
    return foretell(system, vent, make_model(system), chance=0.6, warns=True)


def test_the_page_begins_with_a_sentence_and_shows_how_sure_it_is(login, vent, warned):
    page = login("chen").get(f"/assets/{vent.code}/forecast").text
    chinese = login("chen").get(f"/assets/{vent.code}/forecast?lang=zh").text

    text = text_of(page)
    assert "Even odds that Ventilator 7 fails within 62 days, 80 % between 41 and 95." in text
    assert 'class="band ahead"' in page
    assert 'class="line compare"' in page  # what is usual for its category
    assert "within 90 days 3 in 5 (60 %)" in text
    assert "3 failures in the last year; its rate is 2.4 times that of its kind" in text
    assert "no warning has been judged yet" in text
    assert "An engineer or a manager" in text  # a technician only reads
    assert "呼吸机7" in chinese
    assert "62" in chinese
    own = login("chen").get(f"/assets/{vent.code}").text  # the same curve on the asset's page
    drawn = re.compile(r'<path class="(?:band|line) ahead" d="[^"]+"')
    assert drawn.findall(own) == drawn.findall(page) != []


def test_no_chance_is_told_as_certain_on_any_page(login, as_, vent):
    """Even of a model that said so: the API has the figure, pages have words."""
    system, wang = as_("system"), login("wang")
    foretell(system, vent, make_model(system), chance=1.0, probabilities={"30": 0.004, "90": 1.0})

    own = f"/assets/{vent.code}/forecast"
    english = [text_of(wang.get(page).text) for page in (own, "/fleet", "/fleet/models/life/1")]
    chinese = text_of(wang.get(f"{own}?lang=zh").text)

    assert "fewer than 1 in 100 (under 1 %)" in english[0]
    assert all("over 99 %" in page and "100 %" not in page for page in english)
    assert "（99%以上）" in chinese or "(99%以上)" in chinese
    assert "100%" not in chinese
    [told] = wang.get(f"/api/v1{own}").json["forecasts"]
    assert told["probability"]["90"] == 1.0


def test_a_trend_goes_on_from_its_readings_to_its_limit(login, as_, vent):
    system, wang = as_("system"), as_("wang")
    sensor = add_sensor(
        wang, code="T-1", name="Tube arcs", name_zh="打火次数", quantity="temperature", unit="°C",
        asset=vent.code, profile="vaccine_fridge",
    )  # fmt: skip
    now = wang.now()
    seen = [(now - timedelta(days=day), 4 + (30 - day) / 20) for day in range(30, 0, -1)]
    ingest(wang, [{"sensor": "T-1", "at": at.isoformat(), "value": value} for at, value in seen])
    path = [[0, 5.4, 5.5, 5.6], [30, 6.5, 7, 7.5], [60, 7.4, 8.5, 9.5]]
    foretell(system, vent, make_model(system, ModelKind.TREND), sensor=sensor, path=path)

    page = login("wang").get(f"/assets/{vent.code}/forecast").text

    text = text_of(page)
    assert "Tube arcs will probably reach its limit in 62 days, 80 % between 41 and 95" in text
    assert 'class="line ahead"' in page
    assert 'class="line"' in page
    assert "limit 8" in text
    assert "8.5 °C" in text  # the same as a table


def test_no_number_is_shown_of_a_muted_model_or_without_history(login, as_, vent):
    system = as_("system")
    muted = make_model(system, state=ModelState.MUTED)
    foretell(system, vent, muted, chance=0.87)
    foretell(system, vent, None, chance=None, kind=ModelKind.SOON)

    text = text_of(login("wang").get(f"/assets/{vent.code}/forecast").text)
    panel = text_of(login("wang").get(f"/assets/{vent.code}").text)

    assert "foretold worse than plain arithmetic" in text
    assert "it needs 5 failures of this kind of equipment on record and has 1." in text
    for shown in (text.split("Former forecasts")[0], panel):
        assert "87 %" not in shown
        assert "62 days" not in shown
    assert "Its model is muted" in panel


def test_what_nobody_has_words_for_is_shown_as_it_is(login, as_, vent):
    system = as_("system")
    odd = [{"code": "moon_phase", "weight": -0.2, "phase": 3}, {"weight": "x"}, {}]
    foretell(system, vent, make_model(system), drivers=odd)
    foretell(
        system, make_asset(as_("wang")), None, chance=None, needs={"code": "moons", "need": 2}
    )

    page = login("wang").get(f"/assets/{vent.code}/forecast")

    assert page.status_code == 200
    assert "moon_phase: phase 3" in page.text
    assert "needs 2 moons and has 0" in login("wang").get("/fleet?show=needs").text


def test_a_share_of_right_warnings_is_told_when_there_are_enough(login, as_, vent, warned):
    system = as_("system")
    forecast, record = warned
    with system.writing("test.history"):
        said = system.session.get(Forecast, forecast.id)
        at_work = system.session.get(ModelVersion, record.model_version_id)
        for k in range(12):
            turned = Outcome.FALSE_ALARM if k < 5 else Outcome.HIT if k % 2 else Outcome.AVERTED
            freeze(system, said, at_work, days_ago=100 + k, outcome=turned)
        freeze(system, said, at_work, days_ago=99, outcome=Outcome.MISS, warned=False)

    text = text_of(login("wang").get(f"/assets/{vent.code}/forecast").text)

    low, high = proportion_confint(7, 12, alpha=0.1, method="wilson")
    said = f"58 %, likely {100 * low:.0f} % to {100 * high:.0f} %"
    assert f"Of 12 warnings of such models 7 were right: {said}." in text
    assert f"Of this equipment: 7 of 12 warnings were right (likely {said[13:]})." in text
    assert "1 failure of this equipment came without a warning." in text
    assert "Warned, and averted" in text


def test_work_is_planned_with_the_forecast_as_evidence(login, as_, vent, warned):
    _forecast, record = warned
    wang = login("wang")

    answer = wang.post(f"/fleet/forecasts/{record.id}/schedule")
    again = wang.post(f"/fleet/forecasts/{record.id}/schedule")

    no = answer.location.rpartition("/")[2]
    order = work_order(as_("wang"), no)
    assert answer.status_code == 303
    assert again.status_code == 409
    assert (order.type, order.origin) == (WorkType.PREDICTIVE, f"forecast:{record.id}")
    assert order.title == "Check Ventilator 7: a failure is likely soon"
    assert "呼吸机7" in order.title_zh
    assert order.due_on is not None
    assert (order.due_on - record.at.date()).days in (41, 42)
    page = text_of(wang.get(f"/work-orders/{no}").text)
    assert "Even odds that Ventilator 7 fails within 62 days" in page
    assert "Life of its kind, version 1" in page
    assert "呼吸机7" in wang.get(f"/work-orders/{no}?lang=zh").text
    assert no in wang.get("/fleet?lang=en").text


def test_work_planned_late_is_not_due_before_today(as_, vent, warned):
    late = warned[1].at + timedelta(days=70)  # its early end was 29 days ago
    order = schedule_forecast(as_("wang", now=lambda: late), record_id=warned[1].id)
    assert order.due_on == local_day(late, "Asia/Shanghai")


def test_other_times_ahead_are_told_by_what_came_and_sensors_with_their_unit(login, as_, vent):
    """It warned of 30 days and was right; that nothing came within 7 is no false alarm."""
    system, wang = as_("system"), as_("wang")
    sensor = add_sensor(
        wang, code="V-1", name="Vibration", quantity="vibration", unit="mm/s", asset=vent.code
    )
    model = make_model(system, ModelKind.TREND)
    drivers = [{"code": "distance", "weight": 0.9, "value": 3.7, "limit": 5.0}]
    said, _none = foretell(system, vent, model, sensor=sensor, record=False, drivers=drivers)
    with system.writing("test.record"):
        record = freeze(
            system, said, model, days_ago=8, warned=True, probabilities={"7": 0.004, "90": 0.6}
        )

    text = text_of(login("wang").get(f"/fleet/records/{record.id}").text)

    assert "3.7 mm/s" in text
    assert "within 7 days under 1 %" in text
    assert "It did not come" in text
    assert "False alarm" not in text


def test_planned_work_joins_predictive_work_that_is_open(as_, vent, warned):
    wang = as_("wang")
    first = open_work(wang, type=WorkType.PREDICTIVE, title="Hot", asset=vent, origin="alarm:1")

    order = schedule_forecast(wang, record_id=warned[1].id)

    assert order.no == first.no
    assert order.evidence["also"][0]["kind"] == "forecast"


def test_a_forecast_that_is_set_aside_asks_no_more(login, as_, vent, warned):
    _forecast, record = warned
    wang = login("wang")
    assert [row.entry.asset.code for row in asking_without_work(as_("wang"))] == [vent.code]

    wrong = wang.post(f"/fleet/forecasts/{record.id}/dismiss", data={"why": "bored"})
    form = {"why": "checked_fine", "note": "波形正常"}
    answer = wang.post(f"/fleet/forecasts/{record.id}/dismiss", data=form)
    again = wang.post(f"/fleet/forecasts/{record.id}/dismiss", data=form)

    assert (wrong.status_code, answer.status_code, again.status_code) == (422, 303, 409)
    kept = as_("wang").session.get(ForecastRecord, record.id)
    assert (kept.dismissed_why, kept.dismissed_note) == ("checked_fine", "波形正常")
    assert kept.dismissed_by == as_("wang").actor.name
    assert kept.outcome is Outcome.OPEN  # what it was is judged elsewhere
    assert asking_without_work(as_("wang")) == []
    assert "Set aside: Checked: it is sound" in text_of(wang.get("/fleet").text)
    with pytest.raises(Conflict):
        schedule_forecast(as_("wang"), record_id=record.id)


def test_setting_aside_says_which_work_remains(login, as_, vent, warned):
    order = schedule_forecast(as_("wang"), record_id=warned[1].id)
    wang = login("wang")

    wang.post(f"/fleet/forecasts/{warned[1].id}/dismiss", data={"why": "replaced_soon"})

    assert f"Work order {order.no} remains" in wang.get("/fleet").text
    assert work_order(as_("wang"), order.no).state.value == "planned"


def test_nobody_handles_what_is_not_theirs_or_on_trial_or_over(as_, vent, warned):
    _forecast, record = warned
    system = as_("system")
    with pytest.raises(NotFound):
        dismiss_forecast(as_("qin"), record_id=record.id, why=Dismissal.CHECKED_FINE)
    shadow = make_model(system, ModelKind.SOON, ModelState.SHADOW)
    _said, on_trial = foretell(system, vent, shadow)
    with pytest.raises(NotFound):
        schedule_forecast(as_("wang"), record_id=on_trial.id)
    with system.writing("test.judged"):
        system.session.get(ForecastRecord, record.id).outcome = Outcome.HIT
    with pytest.raises(Conflict):
        dismiss_forecast(as_("wang"), record_id=record.id, why=Dismissal.CHECKED_FINE)


def test_an_asset_without_forecasts_says_when_there_will_be_some(login, vent):
    assert "Nothing is foretold" in login("wang").get(f"/assets/{vent.code}/forecast").text


def test_what_is_foretold_stands_on_todays_page_until_work_is_planned(login, as_, vent, warned):
    def soon():
        page = text_of(login("chen").get("/").text)
        return page.partition("Predicted soon")[2]

    before = soon()
    order = schedule_forecast(as_("wang"), record_id=warned[1].id)
    after = soon()

    assert "Ventilator 7" in before
    assert "3 in 5" in before
    assert "plan by" in before
    assert order.no not in before
    assert after.count(order.no) == 1
    assert "plan by" not in after


def test_who_may_plan_it_hears_that_a_forecast_asks_for_work(login, as_, vent, warned):
    order = schedule_forecast(as_("wang"), record_id=warned[1].id)
    deliver(Context(as_("system").session, system_actor(None)))

    said = f"A forecast asks for work: work order {order.no}"
    assert said in login("wang").get("/inbox").text
    assert "Ventilator 7" in login("wang").get("/inbox").text
    for who in ("chen", "zhao", "qin"):
        assert order.no not in login(who).get("/inbox").text
    assert f"工单 {order.no}" in login("wang").get("/inbox?lang=zh").text


def test_the_chart_of_a_sensor_goes_on_into_the_future(login, as_, vent):
    system, wang = as_("system"), as_("wang")
    sensor = add_sensor(
        wang, code="T-1", name="Arcs", quantity="temperature", unit="°C", asset=vent.code
    )
    now = wang.now().replace(microsecond=0)
    seen = [(now - timedelta(days=day), float(9 - day)) for day in range(9, 0, -1)]
    ingest(wang, [{"sensor": "T-1", "at": at.isoformat(), "value": value} for at, value in seen])
    model = make_model(system, ModelKind.TREND)
    path = [[1.0, 9.0, 10.0, 11.0], [8.0, 15.0, 17.0, 19.0], [40.0, 30.0, 50.0, 70.0]]
    foretell(system, vent, model, sensor=sensor, path=path, at=now)
    stretch = {
        "from": (now - timedelta(days=5)).isoformat(),
        "to": (now + timedelta(days=9)).isoformat(),
    }
    browser = login("chen")

    found = browser.get("/sensors/T-1/series.json", query_string=stretch).json
    file = browser.get("/sensors/T-1/readings.csv", query_string=stretch).text
    month, week = (browser.get(f"/sensors/T-1?period={p}").text for p in ("month", "week"))
    with system.writing("test.muted"):
        system.session.get(ModelVersion, model.id).state = ModelState.MUTED
    muted = browser.get("/sensors/T-1/series.json", query_string=stretch).json

    near = [[(now + timedelta(days=days)).timestamp(), *row] for days, *row in path[:2]]
    assert found["ahead"] == near
    assert len(found["at"]) == 5
    rows = list(csv.DictReader(io.StringIO(file.lstrip("\ufeff"))))
    assert [row["what"] for row in rows] == ["reading"] * 5 + ["forecast"] * 2
    assert (rows[-1]["value"], rows[-1]["lowest"], rows[-1]["highest"]) == ("17.0", "15.0", "19.0")
    assert 'class="line ahead"' in month
    assert 'class="line ahead"' not in week
    assert muted["ahead"] == []
