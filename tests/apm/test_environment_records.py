"""The legal record of temperature and humidity, checks by hand, and what is signed of them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from apm.accounts.queries import hospital_day
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.environment.checks import check_by_hand, due_today
from apm.environment.model import ManualCheck, SignedRecordChanged, Slot, StorageRecord
from apm.environment.places import describe_place, place_by_code
from apm.environment.records import Period, is_as_signed, record_of, sign_record
from apm.readings.commands import add_sensor, ingest
from tests.apm.test_environment_sheets import printed, text_of
from tests.conftest import PASSWORD

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 3, 2)
STEP = timedelta(minutes=30)


def send_days(ctx, code, days, values):
    """Every half hour from local midnight; `values` by (day, half hour), None is not sent."""
    rows = []
    for day in range(days):
        for k in range(48):
            at = datetime(2026, 3, 2 + day, tzinfo=SHANGHAI) + STEP * k
            if (value := values(day, k)) is not None:
                rows.append({"sensor": code, "at": at, "value": value})
    assert ingest(ctx, rows).accepted == len(rows)


def course(day, k):
    """Usually 4 degrees; on the second day too warm from 8 to 10, on the third nothing till 6."""
    if day == 1 and 16 <= k < 20:
        return 9.0 + k % 2
    if day == 2 and k < 12:
        return None
    return 4.0 + (k % 2) * 0.5


@pytest.fixture
def store(as_):
    """A reagent store of North with three days of readings; South has one of that name too."""
    for who in ("qin", "wang"):
        made = add_sensor(
            as_(who), code="RF", name="Reagent store", quantity="temperature", unit="°C",
            location="Reagents", profile="reagent_fridge",
        )  # fmt: skip
    send_days(as_("qin"), "RF", 3, lambda _day, _k: 30.0)
    send_days(as_("wang"), "RF", 3, course)
    describe_place(as_("wang"), place=made.location.code, floor="2", stores="Reagents 试剂")
    return made.location.code


THREE = Period(FIRST, FIRST + timedelta(days=2))


@pytest.mark.database
def test_each_day_has_its_extremes_mean_and_count(as_, store):
    ctx = as_("chen")
    [sensor] = record_of(ctx, place_by_code(ctx, store), THREE)["sensors"]

    assert sensor["rows"] == [
        ["2026-03-02", 48, 4.0, 4.25, 4.5],
        ["2026-03-03", 48, 4.0, pytest.approx((44 * 4.25 + 4 * 9.5) / 48), 10.0],
        ["2026-03-04", 36, 4.0, 4.25, 4.5],
    ]
    [one] = sensor["excursions"]
    assert (one["seconds"], one["extreme"], one["side"]) == (7200.0, 10.0, "high")
    assert one["mkt"] > 4.25
    assert sensor["outside_s"] == 7200.0
    # From the last reading of the second day to the first of the third: six and a half hours.
    [gap] = sensor["gaps"]
    assert [datetime.fromisoformat(end) for end in gap] == [
        datetime(2026, 3, 3, 23, 30, tzinfo=SHANGHAI).astimezone(UTC),
        datetime(2026, 3, 4, 6, 0, tzinfo=SHANGHAI).astimezone(UTC),
    ]


def test_by_the_hour_a_row_each(as_, store):
    ctx = as_("chen")
    found = record_of(ctx, place_by_code(ctx, store), Period(FIRST, FIRST, "hour"))
    rows = found["sensors"][0]["rows"]
    assert len(rows) == 24
    assert rows[0] == ["2026-03-02 00:00", 2, 4.0, 4.25, 4.5]


def test_days_without_readings_are_named(as_, store):
    ctx = as_("chen")
    later = Period(FIRST + timedelta(days=2), FIRST + timedelta(days=4))
    [sensor] = record_of(ctx, place_by_code(ctx, store), later)["sensors"]
    assert [row[1] for row in sensor["rows"]] == [36, 0, 0]
    assert sensor["rows"][1] == ["2026-03-05", 0, None, None, None]


def test_the_spreadsheets_say_the_same(login, store):
    path = f"/environment/{store}/record"
    query = "from=2026-03-02&to=2026-03-04"
    text = login("chen").get(f"{path}.csv?{query}").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:5] == ["Sensor", "Code", "Time", "Readings", "Lowest"]
    assert [row[2] for row in rows[1:]] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert [row[10] for row in rows[1:]] == ["no", "yes", "no"]
    book = load_workbook(io.BytesIO(login("chen").get(f"{path}.xlsx?{query}").data))
    cells = list(book.active.values)
    assert cells[2][:7] == ("Reagent store", "RF", "2026-03-03", 48, 4, 4.688, 10)


@pytest.mark.parametrize(
    "query",
    ["from=2026-03-04&to=2026-03-02", "from=2020-01-01&to=2026-01-01", "to=2199-01-01",
     "from=x", "from=2026-01-01&to=2026-03-01&grain=hour", "grain=minute"],
)  # fmt: skip
def test_a_period_that_cannot_be_is_refused(login, store, query):
    for kind in ("", ".csv", ".pdf"):
        assert login("chen").get(f"/environment/{store}/record{kind}?{query}").status_code == 422


@pytest.mark.database
def test_a_signed_record_stays_as_it_was(as_, login, store, client):
    with pytest.raises(Invalid):
        sign_record(as_("wang"), place=store, period=THREE, password="wrong")
    with pytest.raises(NotAllowed):
        sign_record(as_("system"), place=store, period=THREE, password=PASSWORD)
    with pytest.raises(NotFound):
        sign_record(as_("qin"), place=store, period=THREE, password=PASSWORD)
    row = sign_record(as_("zhao"), place=store, period=THREE, password=PASSWORD)
    with pytest.raises(Conflict):
        sign_record(as_("wang"), place=store, period=THREE, password=PASSWORD)

    ingest(
        as_("wang"),
        [{"sensor": "RF", "at": datetime(2026, 3, 4, 3, tzinfo=SHANGHAI), "value": 20.0}],
    )

    kept = as_("wang").session.scalars(select(StorageRecord)).one()
    assert is_as_signed(kept)
    assert len(kept.document["sensors"][0]["excursions"]) == 1
    system = as_("system")
    with pytest.raises(SignedRecordChanged), system.writing("test.tamper"):
        system.session.scalars(select(StorageRecord)).one().person = "Somebody"
    assert "This sheet is genuine." in client.get(f"/verify/{row.code}").text
    # The record says something else now, and may be signed anew.
    again = sign_record(as_("wang"), place=store, period=THREE, password=PASSWORD)
    assert again.id != row.id


def test_a_changed_record_gives_itself_away(as_, engine, login, store, client):
    row = sign_record(as_("wang"), place=store, period=THREE, password=PASSWORD)
    with engine.begin() as connection:
        connection.execute(update(StorageRecord).values(document={**row.document, "grain": "x"}))
    assert "has changed since" in client.get(f"/verify/{row.code}").text
    assert login("wang").get(f"/environment/records/{row.id}.pdf").status_code == 404


def test_a_period_that_is_not_over_is_not_signed(as_, store):
    today = hospital_day(as_("wang"))
    with pytest.raises(Conflict):
        sign_record(as_("wang"), place=store, period=Period(today, today), password=PASSWORD)


def test_from_the_page_to_the_signed_sheet(login, store):
    wang, path = login("wang"), f"/environment/{store}/record"
    page = wang.get(f"{path}?from=2026-03-02&to=2026-03-04").text
    assert "Not signed" in page
    assert "Outside the limits for 2 h 0 min." in page
    draft = text_of(printed(wang, f"{path}.pdf?from=2026-03-02&to=2026-03-04&language=en"))
    assert "Not signed yet: this is a draft." in draft
    said = {"from": "2026-03-02", "to": "2026-03-04", "grain": "day"}
    assert wang.post(path, data={**said, "password": "x"}).status_code == 422
    sent = wang.post(path, data={**said, "password": PASSWORD})
    assert sent.status_code == 303
    shown = wang.get(sent.location).text
    assert "Wang Lei" in shown
    signed = text_of(printed(login("chen"), f"{sent.location}.pdf"))
    assert "2026-03-03" in signed
    assert "Wang Lei" in signed
    assert "Reagents 试剂" in signed
    assert login("qin").get(sent.location).status_code == 404
    assert login("chen").post(path, data={**said, "password": PASSWORD}).status_code == 403


@pytest.fixture
def shelf(as_):
    """A sterile store without a sensor that is checked by hand."""
    wang = as_("wang")
    made = add_sensor(
        wang, code="X", name="X", quantity="power", unit="W", location="Sterile store"
    )
    code = made.location.code
    describe_place(wang, place=code, profile="sterile_store", is_checked_by_hand=True)
    return code


def test_a_check_is_written_down_once_and_corrected_with_a_reason(as_, shelf):
    said = {"place": shelf, "slot": Slot.MORNING, "temperature": 21.0, "humidity": 45.0}
    first = check_by_hand(as_("lin"), **said)
    assert check_by_hand(as_("lin"), **said).id == first.id
    with pytest.raises(Invalid) as refused:
        check_by_hand(as_("chen"), **{**said, "temperature": 22.0})
    assert set(refused.value.fields) == {"correction"}

    check_by_hand(as_("chen"), **{**said, "temperature": 22.0}, correction="Misread")

    [row] = as_("wang").session.scalars(select(ManualCheck)).all()
    assert (row.temperature, row.by, row.corrected_by) == (
        22.0, "lin@north.example", "chen@north.example",
    )  # fmt: skip


def test_what_is_missing_or_outside_is_asked_about(as_, shelf):
    lin = as_("lin")
    with pytest.raises(Invalid) as refused:
        check_by_hand(lin, place=shelf, slot=Slot.MORNING, temperature=21.0)
    assert set(refused.value.fields) == {"humidity"}
    said = {"place": shelf, "slot": Slot.MORNING, "temperature": 26.0, "humidity": 45.0}
    with pytest.raises(Invalid) as refused:
        check_by_hand(lin, **said)
    assert set(refused.value.fields) == {"note"}
    assert check_by_hand(lin, **said, note="Told the plant room").note == "Told the plant room"
    for day in (hospital_day(lin) - timedelta(days=2), hospital_day(lin) + timedelta(days=1)):
        with pytest.raises(Invalid):
            check_by_hand(lin, **said, note="x", day=day)


def test_what_a_sensor_measures_is_not_asked_for(as_, login, shelf):
    add_sensor(
        as_("wang"), code="T", name="T", quantity="temperature", unit="°C",
        location="Sterile store", profile="sterile_store",
    )  # fmt: skip
    page = login("lin").get(f"/environment/{shelf}/checks").text
    assert 'name="humidity"' in page
    assert 'name="temperature"' not in page
    row = check_by_hand(as_("lin"), place=shelf, slot=Slot.AFTERNOON, humidity=40.0)
    assert row.temperature is None


def test_checks_are_part_of_the_record(as_, shelf, login):
    said = {"place": shelf, "slot": Slot.MORNING, "temperature": 26.0, "humidity": 45.0}
    check_by_hand(as_("lin"), **said, note="Told the plant room")
    ctx = as_("chen")
    today = hospital_day(ctx)
    found = record_of(ctx, place_by_code(ctx, shelf), Period(today - timedelta(days=1), today))
    assert (found["by_hand"]["expected"], len(found["by_hand"]["rows"])) == (4, 1)
    assert found["by_hand"]["rows"][0]["is_outside"]
    text = text_of(printed(login("chen"), f"/environment/{shelf}/record.pdf?language=en"))
    assert "Told the plant room" in text
    assert "Lin Xia" in text


def test_the_list_says_what_is_still_to_do(as_, login, shelf):
    lin = login("lin")
    assert "Morning: open" in lin.get("/environment/checks").text
    sent = lin.post(
        f"/environment/{shelf}/checks",
        data={"slot": "morning", "temperature": "２１,５", "humidity": "45 %"},
    )
    assert sent.status_code == 303
    page = lin.get("/environment/checks").text
    assert "Morning: done" in page
    assert "Afternoon: open" in page
    assert due_today(as_("qin")) == []
    refused = lin.post(f"/environment/{shelf}/checks", data={"slot": "noon", "temperature": "?"})
    assert refused.status_code == 422
    assert login("qin").get(f"/environment/{shelf}/checks").status_code == 404


def test_a_place_is_described_by_who_may(as_, login, shelf):
    path = f"/environment/{shelf}/settings"
    assert login("chen").get(path).status_code == 403
    wang = login("wang")
    assert wang.post(path, data={"is_checked_by_hand": "true"}).status_code == 422
    assert wang.post(path, data={"profile": "nowhere"}).status_code == 422
    sent = wang.post(path, data={"floor": "3", "profile": "lab", "stores": "Gauze"})
    assert sent.status_code == 303
    assert "Gauze" in login("chen").get("/environment/places").text
    assert "Gauze" not in login("qin").get("/environment/places").text
    with pytest.raises(Conflict):
        check_by_hand(as_("lin"), place=shelf, slot=Slot.MORNING, temperature=21.0)
