"""What the chart of a sensor fetches: as fine as the zoom needs, with gaps, events and a file."""

import csv
import io
from datetime import timedelta

import pytest

from apm.core.clock import utc_now
from apm.readings.commands import add_sensor, ingest
from tests.apm.hospital import make_asset, make_work
from tests.apm.test_finding import sensor_on
from tests.house.world import raise_alarm

MINUTE = timedelta(minutes=1)


def send(ctx, code, pairs):
    rows = [{"sensor": code, "at": at.isoformat(), "value": value} for at, value in pairs]
    assert ingest(ctx, rows).accepted == len(rows)


def fetched(browser, code, start, end, **more):
    query = {"from": start.isoformat(), "to": end.isoformat(), **more}
    answer = browser.get(f"/sensors/{code}/series.json", query_string=query)
    assert answer.status_code == 200
    return answer.json


@pytest.fixture
def now():
    return utc_now().replace(microsecond=0, second=0)


def test_a_wide_zoom_is_coarse_and_a_narrow_one_shows_every_reading(login, as_, now):
    wang = as_("wang")
    sensor_on(wang, "T-1")
    send(wang, "T-1", [(now - MINUTE * k, float(k % 7)) for k in range(5 * 1440)])

    wide = fetched(login("chen"), "T-1", now - timedelta(days=5), now)
    narrow = fetched(login("chen"), "T-1", now - timedelta(hours=2), now)

    assert wide["width_s"] == 300
    assert len(wide["at"]) <= 1501
    assert min(wide["low"]) == 0.0
    assert max(wide["high"]) == 6.0
    assert sum(wide["n"]) == 5 * 1440 - 1  # the one at the very end belongs to what follows
    assert narrow["width_s"] is None
    assert narrow["low"] is None
    assert len(narrow["at"]) == 120


def test_a_gap_is_told_and_the_printed_line_ends_there(login, as_, now):
    wang = as_("wang")
    sensor_on(wang, "T-1")
    before = [(now - MINUTE * k, 4.0) for k in range(300, 400)]
    after = [(now - MINUTE * k, 4.5) for k in range(1, 100)]
    send(wang, "T-1", before + after)

    found = fetched(login("chen"), "T-1", now - timedelta(hours=8), now)
    page = login("chen").get("/sensors/T-1").text

    assert found["gaps"] == [99]
    assert found["at"][100] - found["at"][99] == 201 * 60
    line = page.split('class="line" d="')[1].split('"')[0]
    assert line.count("M") == 2


def test_a_sensor_that_speaks_faster_for_a_while_keeps_its_line(login, as_, now):
    wang = as_("wang")
    sensor_on(wang, "T-1")
    slow = [(now - MINUTE * k, 4.0) for k in range(20, 600, 10)]
    fast = [(now - timedelta(seconds=2 * k), 4.5) for k in range(1, 300)]
    send(wang, "T-1", slow + fast)

    found = fetched(login("chen"), "T-1", now - timedelta(hours=11), now)
    page = login("chen").get("/sensors/T-1").text

    assert found["gaps"] == []
    line = page.split('class="line" d="')[1].split('"')[0]
    assert line.count("M") == 1


def test_alarms_and_work_orders_of_the_stretch_come_along(login, as_, now):
    wang = as_("wang")
    asset = make_asset(wang)
    sensor = add_sensor(
        wang, code="T-1", name="T", quantity="temperature", unit="°C", asset=asset.code,
        profile="vaccine_fridge",
    )  # fmt: skip
    sensor_on(wang, "OTHER")
    other = make_asset(wang)
    mine, theirs = make_work(wang, asset), make_work(wang, other)
    raise_alarm(as_("system"), sensor, "warm")
    send(wang, "T-1", [(now - MINUTE * k, 4.0) for k in range(5)])

    end = utc_now() + timedelta(minutes=1)
    found = fetched(login("chen"), "T-1", end - timedelta(hours=1), end)
    earlier = fetched(login("chen"), "T-1", end - timedelta(hours=9), end - timedelta(hours=8))

    assert [one["url"] for one in found["alarms"]] == ["/alarms/1"]
    assert [one["text"] for one in found["orders"]] == [mine.no]
    assert theirs.no not in str(found)
    assert found["limits"] == [2.0, 8.0]
    assert earlier["alarms"] == earlier["orders"] == []


def test_the_file_holds_what_is_shown_in_both_times(login, as_, now):
    wang = as_("wang")
    sensor_on(wang, "T-1")
    send(wang, "T-1", [(now - MINUTE * k, 1.5 * k) for k in range(1, 4)])
    query = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}

    raw = login("chen").get("/sensors/T-1/readings.csv", query_string=query)
    hourly = login("chen").get(
        "/sensors/T-1/readings.csv", query_string={**query, "resolution": "hour"}
    )

    assert raw.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(raw.text.lstrip("\ufeff"))))
    assert [row["value"] for row in rows] == ["4.5", "3.0", "1.5"]
    assert rows[0]["at_utc"] == (now - 3 * MINUTE).isoformat()
    assert rows[0]["at_local"].endswith("+08:00")
    assert rows[0]["lowest"] == ""
    buckets = list(csv.DictReader(io.StringIO(hourly.text.lstrip("\ufeff"))))
    assert sum(int(row["readings"]) for row in buckets) == 3


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "resolution=tiny"]
)
@pytest.mark.parametrize("what", ["series.json", "readings.csv"])
def test_a_stretch_that_makes_no_sense_is_refused(login, as_, what, query):
    sensor_on(as_("wang"), "T-1")
    assert login("chen").get(f"/sensors/T-1/{what}?{query}").status_code == 422


@pytest.mark.parametrize("what", ["series.json", "readings.csv"])
def test_another_hospitals_sensor_is_not_there(login, as_, what):
    sensor_on(as_("qin"), "SOUTH-1")
    assert login("chen").get(f"/sensors/SOUTH-1/{what}").status_code == 404


def test_the_asset_page_offers_the_chart(login, as_, now):
    wang = as_("wang")
    asset = make_asset(wang)
    add_sensor(wang, code="T-1", name="T", quantity="power", unit="W", asset=asset.code)
    send(wang, "T-1", [(now - MINUTE, 4.0)])
    page = login("chen").get(f"/assets/{asset.code}").text
    assert 'data-series="/sensors/T-1/series.json"' in page
    assert "data-lazy" in page
