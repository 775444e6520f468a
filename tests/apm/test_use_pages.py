"""Use and energy as people and programs see them: what is known, of how many, and what is not."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from apm.core.clock import utc_now
from apm.core.permissions import Role
from apm.maintenance.model import MeterKind
from apm.readings.commands import add_sensor, ingest
from apm.utilisation.commands import Terms, Wish, set_feed, set_terms
from apm.utilisation.jobs import follow_all
from apm.utilisation.model import FeedWay
from predict.reliability import mtbf
from tests.apm.hospital import make_asset, make_work
from tests.queries import count_queries

STEP = timedelta(minutes=10)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def midnight():
    """The hospital's last midnight, in UTC."""
    now = utc_now().astimezone(ZONE)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def sensor_on(ctx, code, asset, quantity="power", unit="W"):
    add_sensor(ctx, code=code, name=code, quantity=quantity, unit=unit, asset=asset.code)


def send(ctx, code, first, values, step=STEP):
    rows = [
        {"sensor": code, "at": (first + step * k).isoformat(), "value": float(value)}
        for k, value in enumerate(values)
    ]
    assert ingest(ctx, rows).accepted == len(rows)


def watts(days, on=600.0, standby=100.0):
    """So many days at 10 minutes: on from 8 to 16 o'clock."""
    hour = np.arange(days * 144) % 144 / 6
    return np.where((hour >= 8) & (hour < 16), on, standby)


@pytest.fixture
def metered(as_, midnight):
    """Three days of a ventilator in the ICU; another device is not measured."""
    wang = as_("wang")
    asset = make_asset(wang, "VENT", name="Ventilator", department="ICU", location="Bed 1")
    make_asset(wang, name="Unmeasured", department="ICU")
    sensor_on(wang, "P-1", asset)
    set_feed(wang, sensor="P-1", wish=Wish(FeedWay.POWER, MeterKind.HOURS))
    send(wang, "P-1", midnight - timedelta(days=3), watts(3))
    follow_all(as_("system"))
    return asset


def test_the_page_of_an_asset_shows_hours_grid_and_source(login, metered):
    page = login("chen").get(f"/assets/{metered.code}/use").text
    assert "Use: Ventilator" in page
    assert '<p class="value">24 <small>hours</small>' in page  # three days of eight
    assert "P-1" in page
    assert "Found in 432 readings" in page
    assert "Change" not in page  # a technician changes no sensor


def test_the_asset_page_has_a_panel_and_its_meter_names_the_sensor(login, metered):
    page = login("chen").get(f"/assets/{metered.code}").text
    assert f'href="/assets/{metered.code}/use"' in page
    assert "from sensor P-1" in page


def test_the_program_reads_the_same(client, bearer, metered):
    found = client.get(f"/api/v1/assets/{metered.code}/use", headers=bearer(Role.ENGINEER)).json
    assert [round(day["on_h"], 3) for day in found["items"]] == [8, 8, 8]
    assert found["share_on"] == pytest.approx(1 / 3, abs=0.01)
    total = client.get("/api/v1/energy", headers=bearer(Role.MANAGER)).json["total"]
    assert total["kwh"] == pytest.approx(3 * (8 * 0.6 + 16 * 0.1), rel=0.01)
    assert total["kwh_standby"] == pytest.approx(3 * 1.6, rel=0.03)
    assert (total["measured_devices"], total["devices"]) == (1, 2)
    assert total["cost"] is None
    assert total["co2_kg"] is None


def test_energy_says_how_much_is_measured_and_invents_no_price(login, metered):
    page = login("zhao").get("/energy").text
    assert "1 of 2 devices are measured" in page
    assert "No price is set." in page
    assert "No factor is chosen." in page


def test_price_and_factor_come_from_the_hospital(login, metered):
    zhao = login("zhao")
    answer = zhao.post(
        "/energy/terms",
        data={
            "price_per_kwh": "0.685", "factor_g_per_kwh": "536.6", "factor_source": "MEE",
            "factor_year": "2022",
        },
    )  # fmt: skip
    assert answer.status_code == 303
    page = zhao.get("/energy").text
    kwh = 3 * (8 * 0.6 + 16 * 0.1)
    assert f"CN¥{kwh * 0.685:,.2f}"[:6] in page.replace("\xa0", "")
    assert "536.6 g a kWh, 2022, MEE" in page
    assert "To be verified" in page
    assert 'value="0.685"' in zhao.get("/energy/terms").text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"factor_g_per_kwh": "500"}, "Say where the factor comes from"),
        ({"price_per_kwh": "-1"}, "between 0 and 1,000"),
        ({"price_per_kwh": "cheap"}, "number"),
    ],
)
def test_terms_that_make_no_sense_are_refused(login, typed, says):
    answer = login("zhao").post("/energy/terms", data=typed)
    assert answer.status_code == 422
    assert says in answer.text


@pytest.mark.parametrize("by", ["device", "room", "department"])
def test_the_file_holds_every_line_and_the_sum(login, as_, metered, by):
    set_terms(as_("zhao"), terms=Terms(Decimal("0.5")))
    answer = login("zhao").get(f"/energy.csv?by={by}")
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row["name"] for row in rows] == [
        {"device": "Ventilator", "room": "Bed 1", "department": "ICU"}[by], "All together",
    ]  # fmt: skip
    assert int(rows[0]["cost_minor"]) == pytest.approx(float(rows[0]["kwh"]) * 50, abs=1)
    assert rows[0]["co2_kg"] == ""
    assert rows[0]["devices"] == {"device": "1", "room": "1", "department": "2"}[by]


def test_a_current_tells_energy_only_at_a_stated_voltage(login, as_, midnight):
    wang = as_("wang")
    asset = make_asset(wang, name="Washer")
    sensor_on(wang, "I-1", asset, "current", "A")
    set_feed(wang, sensor="I-1", wish=Wish(FeedWay.CURRENT))
    send(wang, "I-1", midnight - timedelta(days=2), watts(2, 10.0, 1.0))
    follow_all(as_("system"))
    assert "No device tells its energy" in login("zhao").get("/energy").text

    wish = Wish(FeedWay.CURRENT, volts=380, phases=3, power_factor=0.8)
    set_feed(wang, sensor="I-1", wish=wish)
    follow_all(as_("system"))

    page = login("zhao").get("/energy").text
    assert "Assumed: 380 V, 3 phases, power factor 0.8" in page
    kwh = 2 * (8 * 10 + 16 * 1) * 380 * 3**0.5 * 0.8 / 1000
    assert f"{kwh:.0f}"[:2] in page


def test_two_energy_sensors_of_one_device_count_once(as_, client, bearer, metered, midnight):
    wang = as_("wang")
    sensor_on(wang, "E-1", metered, "other", "kWh")
    set_feed(wang, sensor="E-1", wish=Wish(FeedWay.ENERGY))
    send(wang, "E-1", midnight - timedelta(days=2), 500 + np.arange(48) * 1.0, timedelta(hours=1))
    follow_all(as_("system"))
    total = client.get("/api/v1/energy", headers=bearer(Role.MANAGER)).json["total"]
    assert total["kwh"] == pytest.approx(19.2, rel=0.01)


def test_departments_are_compared_with_their_n(login, metered):
    page = login("zhao").get("/use").text
    assert "ICU" in page
    assert "n = 1" in page
    assert login("chen").get("/use").status_code == 403


def test_a_sensor_is_set_up_on_its_page(login, as_, midnight):
    wang = as_("wang")
    asset = make_asset(wang, name="CT")
    sensor_on(wang, "C-1", asset, "count", "times")
    page = login("wang").get("/sensors/C-1/use").text
    assert '<option value="counter" selected>' in page
    refused = login("wang").post("/sensors/C-1/use", data={"way": "counter"})
    assert refused.status_code == 422
    assert "Say which meter this counter is." in refused.text
    done = login("wang").post("/sensors/C-1/use", data={"way": "counter", "meter": "exposures"})
    assert done.headers["Location"] == f"/assets/{asset.code}/use"
    assert login("wang").post("/sensors/C-1/use/stop").status_code == 303
    assert login("chen").get("/sensors/C-1/use").status_code == 403


def test_a_set_back_counter_asks_a_person_on_the_asset_page(login, as_, midnight):
    wang = as_("wang")
    asset = make_asset(wang, name="CT")
    sensor_on(wang, "C-1", asset, "count", "times")
    set_feed(wang, sensor="C-1", wish=Wish(FeedWay.COUNTER, MeterKind.EXPOSURES))
    values = np.r_[900 + np.arange(24), np.arange(24)]
    send(wang, "C-1", midnight - timedelta(days=2), values, timedelta(hours=1))
    follow_all(as_("system"))

    assert (
        "Say what it was, so that its meter counts on."
        in login("chen").get(f"/assets/{asset.code}").text
    )
    page = login("wang").get(f"/assets/{asset.code}/use").text
    [link] = {part.split('"')[0] for part in page.split('href="/meter-breaks/')[1:]}
    done = login("wang").post(f"/meter-breaks/{link}", data={"added": "3", "note": "Tube"})
    assert done.status_code == 303
    again = login("wang").post(f"/meter-breaks/{link}", data={"added": "3"})
    assert again.status_code == 409
    page = login("wang").get(f"/assets/{asset.code}/use").text
    assert "3 ran unseen" in page
    assert "Confirmed" in page
    assert login("qin").get(f"/meter-breaks/{link}").status_code == 404


@pytest.mark.parametrize("path", ["/energy", "/use", "/assets/{code}/use"])
@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-02-02&to=2026-01-01", "from=1800-01-01", "from=2199-01-01"]
)
def test_days_that_make_no_sense_are_told(login, metered, path, query):
    answer = login("zhao").get(f"{path.format(code=metered.code)}?{query}")
    assert answer.status_code == 422


def test_the_other_hospital_sees_nothing(login, metered):
    qin = login("qin")
    assert qin.get(f"/assets/{metered.code}/use").status_code == 404
    assert "Ventilator" not in qin.get("/energy").text
    assert "ICU" not in qin.get("/use").text


def test_more_devices_cost_no_more_statements(login, as_, engine, metered, midnight):
    wang = as_("wang")
    zhao = login("zhao")

    def statements(path):
        with count_queries(engine) as seen:
            assert zhao.get(path).status_code == 200
        return len(seen)

    paths = ("/energy", "/use", f"/assets/{metered.code}/use")
    before = [statements(path) for path in paths]
    for k in range(4):
        asset = make_asset(wang, name=f"More {k}", department=f"Dept {k}", location=f"Room {k}")
        sensor_on(wang, f"M-{k}", asset)
        set_feed(wang, sensor=f"M-{k}", wish=Wish(FeedWay.POWER))
        send(wang, f"M-{k}", midnight - timedelta(days=2), watts(2))
    follow_all(as_("system"))
    assert [statements(path) for path in paths] == before


def test_failures_are_set_against_the_hours_of_use(as_, client, bearer, metered, midnight):
    wang = as_("wang")
    for days, what in ((1, metered), (2, metered), (2.5, metered), (40, metered)):
        order = make_work(wang, what)
        with wang.writing("test.failure"):
            order.down_from = midnight - timedelta(days=days) + timedelta(hours=3)
    other = make_asset(wang, department="ICU")
    make_work(wang, other)

    found = client.get("/api/v1/analytics/kpis", headers=bearer(Role.MANAGER)).json
    [icu] = [line for line in found["items"] if line["name"] == "ICU"]

    right = mtbf(24.0, 3, 0.9)
    assert icu["metered"] == found["total"]["metered"] == 1
    assert icu["mtbf_use"]["n"] == 3
    assert icu["mtbf_use"]["value"] == pytest.approx(right.value, rel=1e-3)
    assert icu["mtbf_use"]["interval"] == pytest.approx([right.low, right.high], rel=1e-3)


def test_the_figures_page_shows_hours_of_use(login, metered):
    page = login("zhao").get("/analytics").text
    assert "1 devices measured" in page
    assert "Energy and use" in page
