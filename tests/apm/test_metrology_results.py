"""Result files of test instruments: read, judged by us, stored once, refused with a reason."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from apm.core.errors import Conflict, Invalid
from apm.metrology import profiles, result_storing
from apm.metrology.model import (
    AppliedPart,
    InstrumentUse,
    Method,
    ProtectionClass,
)
from apm.metrology.result_storing import check_file, import_file
from apm.metrology.safety import describe_safety, open_safety_test
from apm.metrology.tables import xml_tree
from apm.metrology.values import BadValue, measured, moment
from apm.procedures.model import Verdict
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from apm.work.states import WorkState, WorkType
from tests.apm.hospital import make_asset, make_work, start_work
from tests.apm.metrology import make_instrument, sign
from tests.apm.result_files import RIGEL_ROWS, SCHILLER, ansur, rigel

pytestmark = pytest.mark.database


@pytest.fixture
def monitor(as_):
    """The device of the files; South has one of the same number and serial."""
    make_asset(as_("qin"), "MON", number="M-1", serial="SN-1")
    make_asset(as_("wang"), "MON", number="M-2", serial="SN-2")
    return make_asset(as_("wang"), "MON", number="M-1", serial="SN-1")


def orders(ctx):
    """How many work orders there are."""
    return ctx.session.scalar(select(func.count(WorkOrder.id)))


@pytest.mark.parametrize(
    ("text", "unit", "ours", "value"),
    [
        ("0.087", "Ohm", "ohm", 0.087), ("0,087", "\u03a9", "ohm", 0.087),
        ("87 m\u03a9", "", "ohm", 0.087), ("87", "mOhm", "ohm", 0.087),
        ("\uff11\uff12\uff10\uff0e\uff15", "uA", "uA", 120.5), ("0.142 mA", "", "uA", 142.0),
        ("1,234.5", "uA", "uA", 1234.5), ("1.234,5", "uA", "uA", 1234.5),
        ("2", "M\u03a9", "Mohm", 2.0), ("2000", "k\u03a9", "Mohm", 2.0),
        ("2", "G\u03a9", "Mohm", 2000.0),
        ("1e2", "", "uA", 100.0), ("-0.5", "", "uA", -0.5), ("12 \u5fae\u5b89", "", "uA", 12.0),
    ],
)  # fmt: skip
def test_values_as_people_write_them(text, unit, ours, value):
    found = measured(text, unit, ours)
    assert found.value == pytest.approx(value)
    assert found.bound == ""


@pytest.mark.parametrize(
    ("text", "unit", "ours", "code"),
    [
        ("O.087", "Ohm", "ohm", "lookalike"), ("1l2", "uA", "uA", "lookalike"),
        ("0.O87", "Ohm", "ohm", "lookalike"), ("1,234", "uA", "uA", "two_ways"),
        ("1,234,567", "uA", "uA", "two_ways"), ("Pass", "uA", "uA", "no_number"),
        ("", "uA", "uA", "no_number"), ("12", "mmHg", "uA", "bad_unit"),
        ("NaN", "", "uA", "no_number"),
        ("1.2.3", "uA", "uA", "no_number"), ("12 Volt", "", "uA", "bad_unit"),
    ],
)  # fmt: skip
def test_what_could_be_two_things_is_not_guessed(text, unit, ours, code):
    with pytest.raises(BadValue) as refusal:
        measured(text, unit, ours)
    assert refusal.value.code == code


def test_megohm_and_milliohm_are_told_apart():
    assert measured("5", "M\u03a9", "Mohm").value == 5
    assert measured("5", "m\u03a9", "ohm").value == pytest.approx(0.005)
    with pytest.raises(BadValue):
        measured("5", "m\u03a9", "Mohm")


NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-04 10:11", datetime(2026, 5, 4, 2, 11, tzinfo=UTC)),
        ("2026/05/04", datetime(2026, 5, 4, 4, tzinfo=UTC)),
        ("2026年5月4日", datetime(2026, 5, 4, 4, tzinfo=UTC)),
        ("2026-05-04T10:11:12Z", datetime(2026, 5, 4, 10, 11, 12, tzinfo=UTC)),
        ("2026-05-04T10:11:12+02:00", datetime(2026, 5, 4, 8, 11, 12, tzinfo=UTC)),
        ("04.05.2026 10:11:00", datetime(2026, 5, 4, 2, 11, tzinfo=UTC)),
    ],
)
def test_days_as_instruments_write_them(text, at):
    assert moment(text, "Asia/Shanghai", NOW) == at


@pytest.mark.parametrize("text", ["04/05/2026", "2026-02-30", "2031-01-01", "1987-01-01", "soon"])
def test_days_that_cannot_be_or_could_be_two_are_refused(text):
    with pytest.raises(BadValue):
        moment(text, "Asia/Shanghai", NOW)


def test_an_ansur_file_opens_an_inspection_and_is_judged(as_, monitor):
    results = check_file(as_("wang"), data=ansur("M-1"))
    assert (results.profile, len(results.outcomes), results.problems) == ("Fluke Ansur", 4, [])
    assert orders(as_("wang")) == 0
    stored = import_file(as_("wang"), data=ansur("M-1"), name="m1.xml")
    order = work_order(as_("wang"), stored.orders[0])
    assert (order.type, order.asset.number) == (WorkType.INSPECTION, "M-1")
    steps = {step.key: step for step in order.steps}
    assert {k: (s.value, s.verdict) for k, s in steps.items()} == {
        "es1": (0.087, Verdict.PASS),
        "es3": (142.6, Verdict.PASS),
        "es7": (pytest.approx(6.1), Verdict.PASS),
        "es9": (100.0, Verdict.PASS),
    }
    assert steps["es9"].note == "> 100"
    assert steps["es1"].answered_at == datetime(2026, 5, 4, 1, 12, 30, tzinfo=UTC)


def test_the_same_file_twice_changes_nothing(as_, monitor):
    first = import_file(as_("wang"), data=ansur("M-1"), name="m1.xml")
    again = import_file(as_("wang"), data=ansur("M-1"), name="other name.xml")
    assert (len(first.orders), again.orders, again.file) == (1, [], None)
    assert orders(as_("wang")) == 1
    longer = ansur("M-1").replace(
        b"</TestTemplate>",
        b"""<TestResult><Name>Detachable cord</Name>
      <Performed>2026-05-04T09:20:00</Performed>
      <Measurement><Value>0.04</Value><Unit>Ohm</Unit></Measurement></TestResult></TestTemplate>""",
    )
    third = import_file(as_("wang"), data=longer, name="m1.xml")
    assert (third.file.stored, third.file.known) == (1, 4)


def test_results_go_into_the_work_that_waits_for_them(as_, monitor):
    describe_safety(
        as_("wang"), asset=monitor.code, protection=ProtectionClass.I,
        parts=[AppliedPart.CF], method=Method.DIRECT,
    )  # fmt: skip
    waiting = open_safety_test(as_("wang"), asset=monitor.code)
    noise = make_work(as_("wang"), monitor)
    stored = import_file(as_("wang"), data=ansur("M-1"), name="m1.xml")
    assert stored.orders == [waiting.no]
    assert orders(as_("wang")) == 2
    later = ansur("M-1").replace(b"2026-05-04", b"2026-06-04")
    [other] = import_file(as_("wang"), data=later, name="m2.xml").orders
    assert other not in {waiting.no, noise.no}  # what is answered is not overwritten


def test_a_failed_result_leads_to_a_repair_when_it_is_signed(as_, monitor):
    results = check_file(as_("wang"), data=ansur("M-1", leakage="> 500"))
    assert results.failed == 1
    [no] = import_file(as_("wang"), data=ansur("M-1", leakage="> 500"), name="x").orders
    order = work_order(as_("wang"), no)
    start_work(as_("chen"), as_("wang"), order)
    done = sign(as_("chen"), order, has_follow_up=True)
    assert done.state is WorkState.DONE
    repairs = select(WorkOrder).where(WorkOrder.origin == f"failed:{no}")
    assert as_("wang").session.scalars(repairs).one().type is WorkType.CORRECTIVE


def test_a_rigel_file_with_heads_further_down(as_, monitor):
    analyser = make_instrument(as_("wang"), serial="38K-0554", until=-1)
    results = check_file(as_("wang"), data=rigel("M-1"))
    assert results.profile == "Rigel"
    assert [(o.test.key, o.measured.value) for o in results.outcomes] == [
        ("es1", 0.11), ("es5", 612.5), ("es8", 120.0)
    ]  # fmt: skip
    [no] = import_file(as_("wang"), data=rigel("M-1"), name="r.csv").orders
    uses = list(as_("wang").session.scalars(select(InstrumentUse)))
    assert {(use.instrument_id, use.step_key) for use in uses} == {
        (analyser.id, "es1"), (analyser.id, "es5"), (analyser.id, "es8")
    }  # fmt: skip
    order = work_order(as_("wang"), no)
    start_work(as_("chen"), as_("wang"), order)
    assert sign(as_("chen"), order).state is WorkState.DONE  # it was calibrated on the day of use


def test_the_class_of_the_asset_chooses_the_limit(as_, monitor):
    describe_safety(
        as_("wang"), asset=monitor.code, protection=ProtectionClass.II, parts=[AppliedPart.BF],
        method=Method.ALTERNATIVE,
    )  # fmt: skip
    results = check_file(as_("wang"), data=rigel("M-1"))
    by_key = {o.test.key: o.verdict for o in results.outcomes}
    assert by_key["es6"] is Verdict.FAIL  # 612.5 > 500 of class II, though Rigel says Pass


def test_each_wrong_row_is_named_and_nothing_is_stored(as_, monitor):
    make_asset(as_("wang"), "MON", number="D-1", serial="TWIN")
    make_asset(as_("wang"), "MON", number="D-2", serial="TWIN")
    day = "ICU,2026-05-04 10:12"
    rows = [
        RIGEL_ROWS[0], RIGEL_ROWS[1],
        f"X-9,,{day},Earthbond,0.1,\u03a9,0.3,Pass",
        f",TWIN,{day},Earthbond,0.1,\u03a9,0.3,Pass",
        f",SN-2,{day},Earthbond,0.1,\u03a9,0.3,Pass",
        f"M-1,,{day},Flash test,0.1,\u03a9,0.3,Pass",
        f"M-1,,{day},Earthbond,O.1,\u03a9,0.3,Pass",
        f"M-1,,{day},Earthbond,0.1,bar,0.3,Pass",
        f"M-1,,{day},Insulation,> 1,M\u03a9,2,Pass",
    ]  # fmt: skip
    data = rigel("M-1", rows)
    results = check_file(as_("wang"), data=data)
    assert [(p.row, p.code) for p in results.problems] == [
        (6, "bad_date"), (8, "unknown_asset"), (9, "two_assets"), (11, "unknown_test"),
        (12, "lookalike"), (13, "bad_unit"), (14, "out_of_range"),
    ]  # fmt: skip
    assert all(str(problem.message) for problem in results.problems)
    assert results.problems[4].column == "Reading"
    stored = import_file(as_("wang"), data=data, name="r.csv")
    assert (stored.file, orders(as_("wang"))) == (None, 0)
    stored = import_file(as_("wang"), data=data, name="r.csv", leave_out=True)
    assert (stored.file.stored, stored.file.left_out) == (2, 7)
    assert {o.asset.number for o in stored.results.fresh} <= {"M-1", "M-2"}


def test_a_file_of_another_maker_says_what_was_found_and_what_to_do(as_, monitor):
    with pytest.raises(Invalid) as refusal:
        check_file(as_("wang"), data=SCHILLER.encode())
    assert refusal.value.code == "unknown_maker"
    assert "PatientID, Lead, Amplitude mV" in str(refusal.value)
    assert "Save a profile" in str(refusal.value)
    with pytest.raises(Invalid) as refusal:
        check_file(as_("wang"), data=rigel("M-1"), profile="Fluke Ansur")
    assert refusal.value.code == "other_maker"
    assert "looks like one of Rigel" in str(refusal.value)
    with pytest.raises(Invalid) as refusal:
        check_file(as_("wang"), data=b"<Log><Event><Text>on</Text></Event></Log>")
    assert "Log, Event, Text" in str(refusal.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"   ", b"MZ\x90\x00", b"%PDF-1.7", b"<a><b></a>", b"PK\x03\x04broken", b"\x00" * 100,
     b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>",
     b"<" + b"a><" * 60 + b"b/>", "资产编号,测试项目".encode("gb18030"), b"\xff\xfe<\x00"],
)  # fmt: skip
def test_what_is_no_result_file_is_refused(as_, monitor, data):
    with pytest.raises(Invalid) as refusal:
        check_file(as_("wang"), data=data)
    assert str(refusal.value)


def test_entities_are_not_followed():
    bomb = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY a{n} '{'&a;' * 10}'>" for n in range(9)
    )
    with pytest.raises(Invalid, match="document type"):
        xml_tree(f"<?xml version='1.0'?>{bomb}]><l>&a8;</l>".encode())
    with pytest.raises(Invalid):
        xml_tree(f"<?xml version='1.0'?>{bomb}]><l>&a8;</l>".encode("utf-16"))


def test_a_plain_list_in_chinese(as_, monitor):
    text = "资产编号,测试项目,测量值,单位,日期\nM-1,保护接地电阻,0.12,欧,2026年5月4日\n"
    for data in (text.encode("gb18030"), text.encode("utf-8-sig")):
        results = check_file(as_("wang"), data=data)
        assert [(o.test.key, o.measured.value) for o in results.outcomes] == [("es1", 0.12)]


def test_a_saved_profile_reads_a_maker_nobody_knew(as_, monitor):
    data = b"Geraet;Pruefung;Messwert\nM-1;Schutzleiter;0,21\n"
    with pytest.raises(Invalid):
        check_file(as_("wang"), data=data)
    columns = {"asset": "Geraet", "test": "Pruefung", "value": "Messwert"}
    profiles.save_profile(
        as_("wang"), name="Gossen", columns=columns, tests={"schutzleiter": "es1"}
    )
    results = check_file(as_("wang"), data=data)
    assert (results.profile, results.outcomes[0].measured.value) == ("Gossen", 0.21)
    with pytest.raises(Invalid):
        check_file(as_("qin"), data=data)
    with pytest.raises(Conflict):
        profiles.save_profile(as_("wang"), name="Rigel", columns=columns, tests={"a": "es1"})
    with pytest.raises(Invalid) as refusal:
        profiles.save_profile(
            as_("wang"), name="Half", columns={"value": "V"}, tests={"a": "nothing"}
        )
    assert set(refusal.value.fields) == {"test", "asset", "tests"}


def test_two_devices_in_one_file_get_an_order_each(as_, monitor):
    rows = [*RIGEL_ROWS[1:], "M-2,SN-2,ICU,2026-05-04 11:00,Earthbond,0.5,\u03a9,0.3,Fail"]
    stored = import_file(as_("wang"), data=rigel("M-1", rows), name="r.csv")
    assert len(stored.orders) == 2
    assert stored.results.failed == 1
    assert result_storing.files_read(as_("qin")) == []


def test_the_page(as_, login, monitor):
    browser = login("wang")

    def send(data, do, **more):
        form = {"file": (io.BytesIO(data), "r.csv"), "do": do, **more}
        return browser.post("/metrology/results", data=form, content_type="multipart/form-data")

    checked = send(rigel("M-1"), "check")
    assert checked.status_code == 200
    assert "3 new results" in checked.text
    assert orders(as_("wang")) == 0
    assert send(rigel("M-1"), "import").status_code == 303
    assert "stored already" in send(rigel("M-1"), "import").text
    refused = send(SCHILLER.encode(), "check")
    assert refused.status_code == 422
    assert "PatientID" in refused.text
    assert "stored already" in send(rigel("X-0"), "import").text  # found by its serial
    page = browser.get("/metrology/results").text
    assert "r.csv" in page
    saved = {
        "name": "Gossen", "column_asset": "Geraet", "column_test": "P", "column_value": "M",
        "tests": "Schutzleiter = es1", "nonce": "p" * 20,
    }  # fmt: skip
    assert browser.post("/metrology/results/profiles", data=saved).status_code == 303
    assert "Gossen" in browser.get("/metrology/results").text
    wrong = {**saved, "column_value": "", "tests": "x = nothing", "nonce": "q" * 20}
    assert browser.post("/metrology/results/profiles", data=wrong).status_code == 422
    assert login("chen").get("/metrology/results").status_code == 403
