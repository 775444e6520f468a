"""Readings beyond a limit become alarms: once an episode, late or not, however they arrive."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from apm.alarms import evaluating
from apm.alarms.evaluating import evaluate, evaluate_all
from apm.alarms.model import Checkpoint, Evaluated
from apm.alarms.rule_commands import Change, reset_rule, set_profile_rule, set_rule
from apm.core.errors import Invalid, NotAllowed, NotFound
from apm.environment.standing import Standing
from apm.environment.wall import cards_of, sensors_seen
from apm.readings import noting
from apm.readings.commands import ingest
from apm.readings.model import AlarmGroup, AlarmKind, EndedWhy, Latest
from apm.readings.noting import note_inbox
from apm.readings.queries import sensor_by_code, sensors_with_places
from apm.readings.silent import silent_among
from apm.work.model import WorkOrder
from tests.apm.alarming import MINUTE, START, Ward, minutes
from tests.queries import count_queries


@pytest.fixture
def ward(as_):
    return Ward(as_)


@pytest.fixture
def fridge(ward, as_):
    """North's blood refrigerator, which has been well; South has one that is far too warm."""
    theirs = Ward(as_)
    qin = as_("qin")
    from apm.readings.commands import add_sensor
    from tests.apm.hospital import make_asset

    asset = make_asset(qin, "FRIDGE").code
    add_sensor(
        qin, code="F-1", name="Theirs", quantity="temperature", unit="°C", asset=asset,
        profile="blood_rbc",
    )  # fmt: skip
    ingest(qin, [{"sensor": "F-1", "at": START, "value": 30.0}])
    made = theirs.fridge()
    ward.send("F-1", [4.0] * 30, first=-30)
    ward.look(0)
    return made


def orders(as_):
    return list(as_("wang").session.scalars(select(WorkOrder)))


@pytest.mark.database
def test_too_warm_for_five_minutes_is_an_alarm_a_shorter_time_is_none(ward, fridge, as_):
    ward.send("F-1", [6.5, 6.6, 6.5, 4.0])
    assert ward.look(4) == 0
    ward.send("F-1", [6.5, 7.0, 7.5, 8.0, 7.0, 6.5], first=10)
    assert ward.look(16) == 2  # the limit and the warning inside it

    high, warn = ward.alarm("high"), ward.alarm("high_warn")
    assert (high.kind, high.priority, high.limit, high.peak) == ("high", "urgent", 6.0, 8.0)
    assert (minutes(high.since), minutes(high.raised_at)) == (10, 15)
    assert (warn.kind, warn.limit, warn.priority) == ("high", 5.8, "high")
    assert high.active
    assert high.state == "active"
    assert high.evidence["rule"]["deadband"] == 0.3
    assert high.evidence["rule"]["to_verify"] is True
    assert 6.5 in high.evidence["series"]["value"]
    assert [alarm.state for alarm in ward.alarms("qin")] == []


def test_one_cause_is_one_group_and_one_work_order(ward, fridge, as_):
    ward.send("F-1", [7.0] * 8)
    ward.look(8)
    [group] = as_("wang").session.scalars(select(AlarmGroup))
    assert group.n == 2
    [order] = orders(as_)
    assert (order.type, order.asset_id, order.priority) == (
        "predictive",
        fridge.asset_id,
        "urgent",
    )
    assert {alarm.group_id for alarm in ward.alarms()} == {group.id}
    assert ward.alarm("high").work_order_no == order.no == group.work_order_no
    assert "Too high" in order.title
    ward.send("F-1", [7.0] * 8, first=8)
    assert ward.look(16) == 0
    assert len(orders(as_)) == 1


def test_it_ends_when_the_value_is_back_by_the_deadband_for_the_off_delay(ward, fridge):
    ward.send("F-1", [7.0] * 6 + [5.6] * 20 + [5.0] * 4, first=0)
    ward.look(30)
    warn = ward.alarm("high_warn")
    assert warn.active  # 5.6 is inside the deadband
    ward.send("F-1", [5.0] * 4, first=30)
    ward.look(34)
    warn = ward.alarm("high_warn")
    assert (warn.active, warn.ended_why, minutes(warn.ended_at)) == (False, "returned", 31)
    assert warn.state == "returned"


def test_a_limit_of_stored_goods_stays_until_somebody_has_seen_it(ward, fridge):
    from apm.alarms.commands import acknowledge

    ward.send("F-1", [7.0] * 6 + [4.0] * 10)
    ward.look(16)
    high = ward.alarm("high")
    assert (high.active, high.state, minutes(high.returned_at)) == (True, "latched", 11)
    acknowledge(ward.at(20), alarm_id=high.id)
    high = ward.alarm("high")
    assert (high.active, high.state, minutes(high.ended_at)) == (False, "ended", 11)
    ward.send("F-1", [7.0] * 6, first=30)
    ward.look(36)
    assert [minutes(one.since) for one in ward.alarms() if one.rule == "high"] == [0, 30]


@pytest.mark.database
def test_readings_that_come_hours_late_raise_an_alarm_that_says_so(ward, fridge):
    ward.send("F-1", [4.0] * 10, first=200)
    ward.look(210)
    ingest(
        ward.at(240),
        [{"sensor": "F-1", "at": START + MINUTE * k, "value": 7.0} for k in range(60, 90)],
    )
    ward.look(240)
    high = ward.alarm("high")
    assert (minutes(high.since), minutes(high.raised_at)) == (60, 65)
    assert minutes(high.noticed_at) == 240
    assert high.state == "latched"
    assert minutes(high.returned_at) == 205  # the gap until minute 200 is no return


def test_a_correction_ends_what_it_does_not_bear_out_and_keeps_it_on_record(ward, fridge, login):
    ward.send("F-1", [9.0] * 10)
    ward.look(10)
    was = ward.alarm("high")
    ingest(
        ward.at(20),
        [{"sensor": "F-1", "at": START + MINUTE * k, "value": 4.0} for k in range(10)],
    )
    ward.look(20)
    high = ward.alarm("high")
    assert high.id == was.id
    assert (high.active, high.ended_why) == (False, EndedWhy.CORRECTED)
    page = login("wang").get(f"/alarms/{high.id}").text
    assert "Ended: not borne out" in page
    # Corrected once more: the same episode, the same row.
    ingest(
        ward.at(30),
        [{"sensor": "F-1", "at": START + MINUTE * k, "value": 9.0} for k in range(10)],
    )
    ward.look(30)
    again = ward.alarm("high")
    assert (again.id, again.active, again.ended_why) == (was.id, True, None)


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_readings_arrive_the_same_alarms_stand_in_the_end(ward, as_, seed):
    """Two sensors with the same readings over four days: one gets them in order, one does not."""
    ward.fridge("GOOD")
    ward.fridge("LATE")
    rng = random.Random(seed)
    values, warmth = [], 4.0
    for k in range(4 * 24 * 6):
        warmth = 4.0 if k % 50 > 30 else min(9.0, max(1.0, warmth + rng.gauss(0.15, 0.8)))
        values.append(round(warmth, 1))
    stream = [(START + MINUTE * 10 * k, value) for k, value in enumerate(values)]
    now = as_("wang", now=lambda: START + MINUTE * 10 * len(values))
    for begin in range(0, len(stream), 97):
        ingest(
            now, [{"sensor": "GOOD", "at": a, "value": v} for a, v in stream[begin : begin + 97]]
        )
        evaluate_all(as_("system"))
    parts = [stream[begin : begin + 41] for begin in range(0, len(stream), 41)]
    rng.shuffle(parts)
    for part in parts:
        rng.shuffle(part)
        ingest(now, [{"sensor": "LATE", "at": a, "value": v} for a, v in part])
        evaluate_all(as_("system"))

    found = {"GOOD": [], "LATE": []}
    for alarm in ward.alarms():
        if alarm.ended_why is not EndedWhy.CORRECTED:
            over = alarm.returned_at or alarm.ended_at
            row = (alarm.rule, alarm.since, alarm.raised_at, over, alarm.active)
            found[alarm.evidence["sensor"]].append(row)
    assert len(found["GOOD"]) > 5
    assert sorted(found["LATE"], key=str) == sorted(found["GOOD"], key=str)


def test_counting_again_changes_nothing_and_a_stop_half_way_loses_nothing(
    ward, fridge, monkeypatch
):
    ward.send("F-1", [7.0] * 10)
    real = evaluating._keep

    def stops(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluating, "_keep", stops)
    with pytest.raises(KeyboardInterrupt):
        ward.look(10)
    assert ward.alarms() == []
    monkeypatch.setattr(evaluating, "_keep", real)
    assert ward.look(10) == 2
    before = [(one.id, one.version) for one in ward.alarms()]
    assert ward.look(11) == 0
    evaluate(ward.at(12, "system"), sensor_ids=[fridge.id])
    assert [(one.id, one.version) for one in ward.alarms()] == before


@pytest.mark.database
def test_what_comes_while_it_is_counted_is_left_for_the_next_round(ward, fridge, as_, monkeypatch):
    ward.send("F-1", [7.0] * 4)
    real = evaluating.count

    def meanwhile(work):
        real(work)
        monkeypatch.setattr(evaluating, "count", real)
        ingest(
            ward.at(9), [{"sensor": "F-1", "at": START + MINUTE * m, "value": 7.5} for m in (4, 5)]
        )
        note_inbox(ward.at(9, "system"))

    monkeypatch.setattr(evaluating, "count", meanwhile)
    assert ward.look(9) == 0
    assert as_("wang").session.scalars(select(Evaluated)).one().read_until < START
    assert ward.look(10) == 2
    assert (ward.alarm("high").peak, minutes(ward.alarm("high").since)) == (7.5, 0)
    assert all(alarm.evidence["series"]["value"][0] == 4.0 for alarm in ward.alarms())


def test_while_one_thread_notes_or_judges_no_other_does(ward, fridge, monkeypatch):
    ward.send("F-1", [7.0] * 10)
    asked = []

    def asks_first(real):
        def act(*args):
            ctx = ward.at(9, "system")
            turns = noting._TURNS[ctx.session.get_bind()][ctx.actor.hospital_id]
            with ThreadPoolExecutor(1) as other:
                asked.append(other.submit(turns.acquire, blocking=False).result())
            return real(*args)

        return act

    monkeypatch.setattr(noting, "_note", asks_first(noting._note))
    monkeypatch.setattr(evaluating, "count", asks_first(evaluating.count))
    assert ward.look(10) == 2
    assert asked == [False, False]


def test_a_sensor_that_speaks_less_often_is_looked_at_anew(ward, fridge, as_):
    for hour in range(1, 26):
        ward.send("F-1", [4.0], first=60 * hour)
        ward.look(60 * hour)
    assert as_("wang").session.scalars(select(Evaluated)).one().interval_s == 3600.0


def test_the_memory_is_given_back_with_the_readings(ward, fridge, as_):
    ward.send("F-1", [7.0] * 3)
    query = select(Latest).where(Latest.sensor_id == fridge.id)
    note_inbox(as_("system"))
    assert minutes(as_("wang").session.scalars(query).one().touched_from) == 0
    ward.look(3)
    latest = as_("wang").session.scalars(query).one()
    assert latest.touched_from is None
    known = as_("wang").session.scalars(select(Evaluated)).one()
    assert (known.revision, known.interval_s) == (latest.revision, 60.0)
    assert {"high", "high_warn"} <= set(known.states)


def test_what_stood_at_midnight_is_remembered_for_late_readings(ward, fridge, as_):
    ward.send("F-1", [7.0] * 100, every=10)  # 1,000 minutes: beyond midnight
    ward.look(1000)
    [kept] = as_("wang").session.scalars(select(Checkpoint))
    assert {"high", "high_warn"} <= set(kept.states)
    ingest(ward.at(1010), [{"sensor": "F-1", "at": START + MINUTE * 985, "value": 7.2}])
    assert ward.look(1010) == 0
    assert [one.rule for one in ward.alarms()] == ["high", "high_warn"]


class TestRules:
    def test_a_sensor_may_depart_from_its_profile_with_a_reason(self, ward, fridge):
        set_rule(
            ward.at(0), sensor="F-1", key="high", change=Change(True, "Other goods", limit=9.0)
        )
        ward.send("F-1", [7.0] * 10)
        ward.look(10)
        assert [one.rule for one in ward.alarms()] == ["high_warn"]
        reset_rule(ward.at(11), sensor="F-1", key="high")
        ward.send("F-1", [7.0] * 10, first=11)
        ward.look(21)
        high = ward.alarm("high")
        assert minutes(high.since) == 9  # the last reading before the change speaks on

    def test_a_rule_that_is_switched_off_ends_its_alarm(self, ward, fridge):
        ward.send("F-1", [7.0] * 10)
        ward.look(10)
        set_profile_rule(
            ward.at(11), profile="blood_rbc", key="high", change=Change(False, "Being rebuilt")
        )
        ward.send("F-1", [7.0] * 2, first=11)
        ward.look(13)
        assert ward.alarm("high").ended_why == EndedWhy.RULE_CHANGED
        assert ward.alarm("high_warn").active

    def test_a_sensor_without_a_profile_may_have_limits_of_its_own(self, ward):
        ward.fridge("P-1", profile=None, quantity="pressure", unit="kPa")
        with pytest.raises(Invalid):
            set_rule(ward.at(0), sensor="P-1", key="low", change=Change(True, "Maker's guide"))
        change = Change(True, "Maker's guide", limit=400.0, on_delay_s=60, priority="high")
        set_rule(ward.at(0), sensor="P-1", key="low", change=change)
        ward.send("P-1", [420.0, 380.0, 370.0, 360.0])
        ward.look(4)
        alarm = ward.alarm("low")
        assert (alarm.kind, alarm.priority, alarm.peak) == ("low", "high", 360.0)
        assert alarm.work_order_no

    def test_only_those_who_edit_sensors_change_rules(self, ward, fridge):
        change = Change(True, "?", limit=9.0)
        for who, refusal in [("chen", NotAllowed), ("zhao", NotAllowed), ("qin", NotFound)]:
            with pytest.raises(refusal):
                set_rule(
                    ward.at(0, who),
                    sensor="F-1" if who != "qin" else "F-2",
                    key="high",
                    change=change,
                )
        with pytest.raises(NotFound):
            set_rule(ward.at(0), sensor="F-1", key="humid", change=change)

    def test_another_unit_has_none_of_the_shipped_limits(self, ward):
        ward.fridge("F-9", unit="°F")
        ward.send("F-9", [40.0] * 10)
        assert ward.look(10) == 0


class TestSensorFaults:
    def test_a_value_no_probe_can_measure_is_a_fault_of_the_sensor(self, ward, fridge):
        ward.send("F-1", [-127.0] * 3)
        ward.look(3)
        assert ward.alarm("outside").kind == AlarmKind.OUT_OF_RANGE
        jump = ward.alarm("spike")
        assert (jump.kind, jump.reason, jump.peak) == ("spike", "jump", 131.0)

    def test_a_value_that_stands_still_for_two_days(self, ward, fridge):
        ward.send("F-1", [4.1] + [4.2] * 300, every=10)
        ward.look(3010)
        flat = ward.alarm("flat")
        assert (flat.kind, minutes(flat.since), minutes(flat.raised_at)) == (
            "flatline",
            20,
            20 + 2880,
        )

    def test_condensation_needs_warmth_and_humidity_of_the_same_room(self, ward):
        room = {"location": "CT 1", "profile": "imaging_room"}
        ward.fridge("T", **room)
        ward.fridge("H", **room, quantity="humidity", unit="%")
        ward.send("T", [20.0] * 30)
        ward.send("H", [40.0] * 10 + [90.0] * 20)
        ward.look(30)
        dew = ward.alarm("dew")
        assert (dew.kind, minutes(dew.since), minutes(dew.raised_at)) == ("dew_point", 10, 20)
        assert dew.peak == pytest.approx(1.69, abs=0.05)  # at 20 degrees and 90 percent

    def test_a_sensor_that_is_silent_while_we_listen(self, ward, fridge):
        ward.sweep(0)
        for minute in range(4, 13, 4):
            ward.sweep(minute)
        stale = ward.alarm("stale")
        assert (stale.kind, minutes(stale.since), stale.active) == ("stale", -1, True)
        ward.sweep(13)
        assert len(ward.alarms()) == 1
        ward.send("F-1", [4.0], first=14)
        ward.sweep(15)
        assert (ward.alarm("stale").active, minutes(ward.alarm("stale").ended_at)) == (False, 14)

    def test_a_logger_that_slows_down_is_believed_after_two_slow_steps(self, ward, as_):
        ward.fridge("L")
        ward.send("L", [4.0] * 600, every=1 / 30)  # a reading in two seconds, for twenty minutes
        ward.look(20)
        for minute in range(20, 70, 2):
            if minute in {30, 40}:
                ward.send("L", [4.0], first=minute)
                ward.look(minute)
            ward.sweep(minute)
        assert ward.alarms() == []
        assert as_("wang").session.scalars(select(Evaluated)).one().interval_s == 600.0
        ward.sweep(71)  # three steps of ten minutes without a word
        assert minutes(ward.alarm("stale").since) == 40

    def test_the_sensors_own_limit_comes_before_its_profiles_and_both_before_the_usual(
        self, ward, as_
    ):
        for code in ("OWN", "PROFILE", "USUAL"):
            ward.fridge(code, profile="reagent_fridge" if code == "USUAL" else "blood_rbc")
            ward.send(code, [4.0] * 30)
        set_rule(ward.at(0), sensor="OWN", key="stale", change=Change(True, "R", on_delay_s=120))
        change = Change(True, "Slow", on_delay_s=7200)
        set_profile_rule(ward.at(0), profile="blood_rbc", key="stale", change=change)
        ward.look(29)
        for minute in (29, 31, 32):
            ward.sweep(minute)
        assert [alarm.sensor_id for alarm in ward.alarms()] == [
            sensor_by_code(as_("wang"), "OWN").id
        ]
        assert silent_codes(ward.at(32)) == {"OWN"}
        assert silent_codes(ward.at(40)) == {"OWN", "USUAL"}
        assert silent_codes(ward.at(150)) == {"OWN", "USUAL", "PROFILE"}

    def test_after_a_stop_of_our_own_nobody_is_called_silent_at_once(self, ward, fridge):
        ward.sweep(0)
        ward.sweep(600)  # ten hours without a worker
        assert ward.alarms() == []
        for minute in (604, 608, 612):
            ward.sweep(minute)
        assert minutes(ward.alarm("stale").since) == -1


def silent_codes(ctx):
    """What the list calls silent; the wall, room and plan must say the same."""
    sensors = list(ctx.session.scalars(sensors_with_places()))
    silent = silent_among(ctx, sensors, ctx.now())
    cards = cards_of(ctx, sensors_seen(ctx), ctx.now())
    pressing = {Standing.SILENT, Standing.ALARM}
    assert {card.seen.sensor_id for card in cards if card.standing in pressing} == silent
    return {sensor.code for sensor in sensors if sensor.id in silent}


def test_statements_do_not_grow_with_the_sensors(ward, engine):
    def counted(n):
        ward_codes = [f"N{n}-{k}" for k in range(n)]
        for code in ward_codes:
            ward.fridge(code, location=f"Room {code}")
            ward.send(code, [4.0] * 3)
        ward.look(3)
        for code in ward_codes:
            ward.send(code, [4.0] * 3, first=4)
        with count_queries(engine) as sent:
            ward.look(7)
        return len(sent)

    few = counted(3)
    assert counted(12) <= few + 3
