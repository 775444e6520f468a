"""What people do with an alarm, what time does with it, and who is called."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.alarms.commands import acknowledge, clear, judge, put_back, shelve, take_out, unshelve
from apm.alarms.kpis import figures
from apm.alarms.model import Neighbours
from apm.alarms.neighbours import compare_rooms
from apm.assets.model import Asset, AssetState
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.permissions import Role
from apm.notify.model import Escalation, Notification
from apm.readings.commands import ingest
from apm.readings.model import EndedWhy
from apm.work.model import WorkOrder
from apm.worker.delivery import deliver
from tests.apm.alarming import MINUTE, START, Ward, minutes


@pytest.fixture
def ward(as_):
    made = Ward(as_)
    made.fridge()
    made.send("F-1", [4.0] * 30, first=-30)
    made.look(0)
    return made


@pytest.fixture
def warm(ward):
    """The alarm of a refrigerator that has been too warm for ten minutes."""
    ward.send("F-1", [7.0] * 10)
    ward.look(10)
    return ward.alarm("high_warn")


def pass_on(ward, minute):
    deliver(
        Context(ward.as_("system").session, system_actor(None), lambda: START + MINUTE * minute)
    )


class TestSilence:
    def test_for_a_while_it_calls_nobody_and_then_it_calls_again(self, ward, warm):
        shelve(ward.at(11), alarm_id=warm.id, minutes=60, reason="Door is being repaired")
        now = ward.alarm("high_warn")
        assert (now.state, now.muted, now.active) == ("shelved", "shelved", True)
        ward.sweep(70)
        assert ward.alarm("high_warn").state == "shelved"
        ward.send("F-1", [7.0] * 62, first=10)  # it lasts
        ward.look(72)
        ward.sweep(72)
        now = ward.alarm("high_warn")
        assert (now.state, now.muted) == ("active", None)
        assert minutes(now.announced_at) == 72

    def test_what_its_rule_raises_meanwhile_is_kept_and_calls_nobody(self, ward, warm):
        shelve(ward.at(11), alarm_id=warm.id, minutes=60, reason="Door is being repaired")
        ward.send("F-1", [4.0] * 10 + [7.0] * 10, first=11)
        ward.look(31)
        second = [one for one in ward.alarms() if one.rule == "high_warn"][-1]
        assert (minutes(second.since), second.muted, second.announced_at) == (21, "shelved", None)

    @pytest.mark.parametrize(("rule", "most"), [("high", 60), ("high_warn", 480)])
    def test_it_has_a_longest_time_by_priority(self, ward, warm, rule, most):
        alarm = ward.alarm(rule)
        with pytest.raises(Invalid, match=str(most)):
            shelve(ward.at(11), alarm_id=alarm.id, minutes=most + 1, reason="?")
        shelve(ward.at(11), alarm_id=alarm.id, minutes=most, reason="Door")
        with pytest.raises(Conflict):
            shelve(ward.at(12), alarm_id=alarm.id, minutes=1, reason="Door")
        unshelve(ward.at(13), alarm_id=alarm.id)
        ward.sweep(14)
        assert minutes(ward.alarm(rule).announced_at) == 14

    def test_out_of_service_is_for_those_who_may_authorise_it(self, ward, warm):
        with pytest.raises(NotAllowed):
            take_out(ward.at(11), alarm_id=warm.id, reason="Probe is broken")
        take_out(ward.at(11, "zhao"), alarm_id=warm.id, reason="Probe is broken")
        ward.sweep(20_000)
        assert ward.alarm("high_warn").state == "out_of_service"
        put_back(ward.at(20_001, "zhao"), alarm_id=warm.id)
        ward.sweep(20_002)
        assert ward.alarm("high_warn").state == "active"

    def test_equipment_that_is_not_in_use_calls_nobody_until_it_is_back(self, ward, as_):
        def lifecycle(state):
            ctx = as_("wang")
            with ctx.writing("test"):
                ctx.session.scalars(select(Asset)).one().lifecycle = state

        lifecycle(AssetState.QUARANTINED)
        ward.send("F-1", [7.0] * 10)
        ward.look(10)
        assert ward.alarm("high").state == "suppressed"
        assert as_("wang").session.scalars(select(WorkOrder)).all() == []
        ward.sweep(11)
        assert ward.alarm("high").state == "suppressed"
        lifecycle(AssetState.IN_SERVICE)
        ward.sweep(12)
        high = ward.alarm("high")
        assert (high.state, minutes(high.announced_at)) == ("active", 12)
        [order] = as_("wang").session.scalars(select(WorkOrder))
        assert high.work_order_no == order.no

    def test_each_step_is_in_the_trail_with_its_name(self, ward, warm, as_, login):
        shelve(ward.at(11), alarm_id=warm.id, minutes=60, reason="Door is being repaired")
        unshelve(ward.at(12), alarm_id=warm.id)
        acknowledge(ward.at(13), alarm_id=warm.id, note="Shut it")
        clear(ward.at(14), alarm_id=warm.id)
        judge(ward.at(15), alarm_id=warm.id, is_real=True)
        entries = as_("amy").session.scalars(
            select(AuditEntry).where(AuditEntry.entity == "Alarm", AuditEntry.entity_id == warm.id)
        )
        steps = list(dict.fromkeys(entry.command for entry in entries))
        names = ("evaluate", "shelve", "unshelve", "acknowledge", "clear", "judge")
        assert steps == [f"alarm.{name}" for name in names]
        assert ward.alarm("high_warn").ended_why == EndedWhy.CLEARED
        page = login("wang").get(f"/alarms/{warm.id}").text
        for words in ("Silence ended", "Cleared by hand", "Raised", "Shut it", "Judged"):
            assert words in page

    def test_others_may_not(self, ward, warm):
        for who, refusal in [("lin", NotAllowed), ("chen", NotAllowed), ("qin", NotFound)]:
            with pytest.raises(refusal):
                shelve(ward.at(11, who), alarm_id=warm.id, minutes=5, reason="?")
            with pytest.raises(refusal):
                judge(ward.at(11, who), alarm_id=warm.id, is_real=False)


class TestCalls:
    def told(self, ward, kind):
        query = select(Notification).where(Notification.kind == kind)
        return len(list(ward.as_("system").session.scalars(query)))

    def test_one_call_a_cause_that_goes_on_until_somebody_acknowledges(self, ward, warm):
        pass_on(ward, 10)
        assert self.told(ward, "alarm_urgent") == 2  # the engineer and the administrator
        assert self.told(ward, "finding") == 0
        [asked] = ward.as_("system").session.scalars(select(Escalation))
        assert asked.answered_at is None
        acknowledge(ward.at(12), alarm_id=int(asked.subject.partition(":")[2]))
        pass_on(ward, 12)
        [asked] = ward.as_("system").session.scalars(select(Escalation))
        assert (asked.answered_at is not None, asked.next_at) == (True, None)


class TestOverTheApi:
    def test_it_is_silenced_and_judged(self, ward, warm, client, bearer):
        wang, url = bearer(Role.ENGINEER), f"/api/v1/alarms/{warm.id}"
        # What the clock of a real request says is long after: the alarm still stands.
        assert client.get(url, headers=wang).json["actions"] == [
            "acknowledge", "clear", "shelve", "judge",
        ]  # fmt: skip
        bad = client.post(f"{url}/shelve", json={"minutes": 60}, headers=wang)
        assert (bad.status_code, list(bad.json["fields"])) == (422, ["reason"])
        done = client.post(f"{url}/shelve", json={"minutes": 60, "reason": "Door"}, headers=wang)
        assert (done.json["muted"], done.json["state"]) == ("shelved", "shelved")
        listed = client.get("/api/v1/alarms?muted=true", headers=wang).json["items"]
        assert [one["id"] for one in listed] == [warm.id]
        assert client.post(f"{url}/unshelve", headers=wang).json["muted"] is None
        assert client.post(f"{url}/unshelve", headers=wang).status_code == 409
        assert (
            client.post(f"{url}/verdict", json={"real": False}, headers=wang).json["real"] is False
        )
        out = f"{url}/out-of-service"
        assert client.post(out, json={"reason": "?"}, headers=wang).status_code == 403
        zhao = bearer(Role.MANAGER)
        assert client.post(out, json={"reason": "Probe"}, headers=zhao).json["muted"]
        assert client.post(f"{url}/in-service", headers=zhao).json["muted"] is None

    def test_rules_are_read_and_changed(self, ward, client, bearer):
        wang, url = bearer(Role.ENGINEER), "/api/v1/sensors/F-1/alarm-rules"
        rules = {one["key"]: one for one in client.get(url, headers=wang).json["items"]}
        assert {"high", "high_warn", "low", "low_warn", "stale", "outside"} <= rules.keys()
        assert (rules["high"]["limit"], rules["high"]["verify"]) == (6.0, True)
        assert rules["high_warn"]["verify"] is False
        said = {"on": True, "limit": 7.0, "reason": "Plasma only"}
        changed = client.put(f"{url}/high", json=said, headers=wang).json["items"]
        high = next(one for one in changed if one["key"] == "high")
        assert (high["limit"], high["own_reason"]) == (7.0, "Plasma only")
        assert client.delete(f"{url}/high", headers=wang).status_code == 200
        assert client.delete(f"{url}/high", headers=wang).status_code == 404
        assert client.put(f"{url}/high", json={"on": True}, headers=wang).status_code == 422


class TestPages:
    def test_the_forms_do_what_they_say_and_name_what_is_wrong(self, ward, warm, login):
        wang, url = login("wang"), f"/alarms/{warm.id}"
        page = wang.get(url).text
        assert "Move the blood to another refrigerator" in page
        assert "limit 5.8" in page
        wrong = wang.post(f"{url}/shelve", data={"minutes": "9999", "reason": "Door"})
        assert wrong.status_code == 422
        assert "480 minutes at most" in wrong.text
        wang.post(f"{url}/shelve", data={"minutes": "60", "reason": "Door"})
        silenced = wang.get("/alarms?show=silenced").text
        assert f'href="{url}"' in silenced
        assert "Door" in silenced
        assert f'href="{url}"' not in wang.get("/alarms?show=active").text
        assert "2 alarms of one cause" in wang.get("/alarms").text

    def test_a_rule_is_changed_on_its_page(self, ward, login):
        wang = login("wang")
        assert "Laboratory guidance" in wang.get("/sensors/F-1/rules").text
        form = {"on": "true", "limit": "abc", "reason": ""}
        wrong = wang.post("/sensors/F-1/rules/high", data=form)
        assert wrong.status_code == 422
        good = {"on": "true", "limit": "6.5", "reason": "Agreed with the blood bank"}
        assert wang.post("/sensors/F-1/rules/high", data=good).status_code == 303
        assert "Agreed with the blood bank" in wang.get("/sensors/F-1/rules").text
        profile = "/alarms/rules/blood_rbc"
        assert wang.post(f"{profile}/temperature/low", data=good).status_code == 303
        assert "Agreed with the blood bank" in wang.get(profile).text
        assert wang.post(f"{profile}/low/reset").status_code == 303
        assert "Agreed with the blood bank" not in wang.get(profile).text

    def test_the_figures_say_how_many_they_rest_on(self, ward, warm, login):
        acknowledge(ward.at(15), alarm_id=warm.id)
        judge(ward.at(16), alarm_id=warm.id, is_real=False)
        known = figures(ward.at(100))
        assert known.load.n == 2
        assert (known.answers.n, known.answers.median) == (1, 5.0)
        [said] = known.precision
        assert (said.reason, said.real, said.n) == ("high_warn", 0, 1)
        [place] = known.places
        assert (place.sensors, place.n, place.false, place.is_over) == (1, 2, 1, False)
        assert login("wang").get("/alarms/figures").status_code == 200


class TestNeighbours:
    @pytest.fixture
    def room(self, as_):
        """Four sensors of one room over two weeks, by half hours."""
        made = Ward(as_)
        for k in range(4):
            made.fridge(f"R-{k}", profile="imaging_room", location="CT 1")
        return made

    def fill(self, ward, shift):
        for k in range(4):
            values = []
            for slot in range(14 * 48):
                is_lately = slot >= 13 * 48
                usual = 21 + (slot * 7 % 48) / 40 + ((slot * 13 + k * 5) % 7) / 100
                values.append(round(usual + (shift(k) if is_lately else 0), 3))
            ward.send(f"R-{k}", values, every=30)

    def verdicts(self, ward):
        rows = ward.as_("wang").session.scalars(select(Neighbours).order_by(Neighbours.sensor_id))
        return [row.verdict for row in rows]

    def test_one_that_drifts_is_a_fault_of_the_sensor_and_ends_when_it_agrees_again(
        self, room, login
    ):
        self.fill(room, lambda k: 0.8 if k == 2 else 0.0)
        end = 14 * 1440
        assert compare_rooms(room.at(end, "system")) == 1
        assert compare_rooms(room.at(end + 1, "system")) == 1
        assert self.verdicts(room) == ["alike", "alike", "sensor", "alike"]
        fault = room.alarm("neighbours")
        assert (fault.kind, fault.evidence["sensor"]) == ("sensor_fault", "R-2")
        assert fault.peak == pytest.approx(0.8, abs=0.1)
        page = login("wang").get("/sensors/R-2").text
        assert "the sensor may drift" in page
        assert "R-0, R-1, R-3" in page
        self.fill(room, lambda _k: 0.0)  # corrected
        assert compare_rooms(room.at(end + 2, "system")) == 0
        assert room.alarm("neighbours").ended_why == EndedWhy.RETURNED

    def test_a_room_that_warms_is_no_fault_of_a_sensor(self, room, login):
        self.fill(room, lambda _k: 2.0)
        assert compare_rooms(room.at(14 * 1440, "system")) == 0
        assert self.verdicts(room) == ["room"] * 4
        assert room.alarms() == []
        assert "All sensors of the room moved together" in login("wang").get("/sensors/R-1").text

    def test_of_two_nobody_can_say_which_is_wrong(self, ward):
        for code in ("A", "B"):
            ward.fridge(code, location="CT 2")
        compare_rooms(ward.at(0, "system"))
        assert self.verdicts(ward) == ["alone", "alone"]


def test_late_readings_of_long_ago_call_nobody(ward):
    """What was over a day ago is on record; there is nothing left to do about it."""
    values = [9.0] * 20 + [4.0] * 20
    old = [
        {"sensor": "F-1", "at": START - timedelta(days=9) + MINUTE * k, "value": value}
        for k, value in enumerate(values)
    ]
    ingest(ward.at(0), old)
    ward.look(1)
    warn = ward.alarm("high_warn")
    assert (warn.announced_at, warn.work_order_no, warn.active) == (None, None, False)
