"""An alarm is seen, looked at, acknowledged and ended, on a page and over the API."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from apm.accounts.queries import system_actor
from apm.alarms.commands import acknowledge, clear
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.errors import Conflict, NotAllowed, NotFound
from apm.core.permissions import Role
from apm.detecting.scoring import score_all
from apm.readings.commands import ingest
from apm.readings.model import Alarm
from apm.readings.queries import alarm_by_id
from tests.apm.test_finding import DAY, all_of, sensor_on, sent, usual


def found_on(as_, who, code):
    """Let a sensor go wrong and its detector notice."""
    ctx = as_(who)
    sensor_on(ctx, code)
    ingest(ctx, sent(code, usual(21) + [v + 6 for v in usual(1)]))
    score_all(as_("system") if who != "qin" else _system_of_south(as_))
    return all_of(as_, Alarm, who)[-1]


def _system_of_south(as_):
    south = as_("qin")
    return Context(south.session, system_actor(south.actor.hospital_id))


@pytest.fixture
def theirs(as_):
    """An alarm of South: noise."""
    return found_on(as_, "qin", "S-1")


@pytest.fixture
def alarm(as_, theirs):
    return found_on(as_, "wang", "T-1")


def test_the_first_who_has_seen_it_is_named_and_notes_add_up(as_, alarm):
    acknowledge(as_("wang"), alarm_id=alarm.id, note="Door was open")
    acknowledge(as_("amy"), alarm_id=alarm.id, note="Closed it")

    now = alarm_by_id(as_("zhao"), alarm.id)
    assert (now.acknowledged, now.acknowledged_by) == (True, "wang@north.example")
    assert now.note == "Door was open\nClosed it"
    assert now.active
    entries = as_("amy").session.scalars(select(AuditEntry).where(AuditEntry.entity == "Alarm"))
    first, *_, last = entries.all()
    assert first.changes["evidence"] == ["***", "***"]  # the curve itself stays out of the trail
    assert (last.command, last.actor) == ("alarm.acknowledge", "amy@north.example")


def test_cleared_it_has_ended_and_the_episode_raises_no_other(as_, alarm):
    clear(as_("wang"), alarm_id=alarm.id, note="Sensor was replaced")
    ended_at = alarm_by_id(as_("wang"), alarm.id).ended_at
    ingest(as_("wang"), sent("T-1", [v + 6 for v in usual(1)], first=22 * DAY))
    ingest(as_("wang"), sent("T-1", usual(3), first=23 * DAY))
    score_all(as_("system"))

    [now] = all_of(as_, Alarm)
    assert (now.active, now.acknowledged, now.cleared_by) == (False, True, "wang@north.example")
    assert now.ended_at == ended_at
    with pytest.raises(Conflict):
        clear(as_("wang"), alarm_id=alarm.id)


@pytest.mark.parametrize("act", [acknowledge, clear])
def test_others_may_not(as_, alarm, act):
    for who, refusal in [("lin", NotAllowed), ("chen", NotAllowed), ("qin", NotFound)]:
        with pytest.raises(refusal):
            act(as_(who), alarm_id=alarm.id)
    assert not alarm_by_id(as_("wang"), alarm.id).acknowledged


class TestOverTheApi:
    @pytest.fixture
    def engineer(self, bearer):
        return bearer(Role.ENGINEER)

    def test_it_is_listed_with_the_agreed_names(self, client, engineer, alarm, theirs):
        answer = client.get("/api/v1/alarms", headers=engineer)
        [item] = answer.json["items"]
        wanted = {"id", "sensor", "kind", "priority", "active", "acknowledged", "since"}
        assert wanted <= item.keys()
        assert (item["sensor"], item["kind"], item["active"]) == ("T-1", "anomaly", True)
        assert item["work_order"] == alarm.work_order_no
        assert "evidence" not in item
        assert client.get(f"/api/v1/alarms/{theirs.id}", headers=engineer).status_code == 404

    @pytest.mark.parametrize(
        ("query", "n"),
        [
            ("active=true", 1),
            ("active=false", 0),
            ("acknowledged=false", 1),
            ("acknowledged=1", 0),
        ],
    )
    def test_it_can_be_filtered(self, client, engineer, alarm, query, n):
        answer = client.get(f"/api/v1/alarms?{query}", headers=engineer)
        assert len(answer.json["items"]) == n

    def test_it_is_acknowledged_and_cleared(self, client, engineer, alarm):
        url = f"/api/v1/alarms/{alarm.id}"
        one = client.get(url, headers=engineer)
        assert one.json["evidence"]["sensor"] == "T-1"
        fresh = {**engineer, "If-Match": one.headers["ETag"]}

        seen = client.post(f"{url}/acknowledge", json={"note": "Seen"}, headers=fresh)
        assert (seen.status_code, seen.json["acknowledged"]) == (200, True)
        stale = client.post(f"{url}/clear", json={}, headers=fresh)
        assert stale.status_code == 412
        fresh["If-Match"] = seen.headers["ETag"]
        assert client.post(f"{url}/clear", json={}, headers=fresh).json["active"] is False
        assert client.post(f"{url}/clear", json={}, headers=engineer).status_code == 409
        too_long = client.post(f"{url}/acknowledge", json={"note": "x" * 2001}, headers=engineer)
        assert too_long.status_code == 422

    @pytest.mark.database
    def test_pages_of_the_list_hold_active_ones_first(self, client, engineer, as_, alarm):
        found_on(as_, "wang", "T-2")
        clear(as_("wang"), alarm_id=alarm.id)
        seen, after = [], ""
        while after is not None:
            answer = client.get(f"/api/v1/alarms?limit=1{after}", headers=engineer).json
            seen += [(item["sensor"], item["active"]) for item in answer["items"]]
            after = f"&after={answer['next']}" if answer["next"] else None
        assert seen == [("T-2", True), ("T-1", False)]


class TestPages:
    def test_the_list_leads_to_the_alarm_and_its_work(self, login, alarm, theirs):
        page = login("chen").get("/alarms").text
        assert f'href="/alarms/{alarm.id}"' in page
        assert f'href="/work-orders/{alarm.work_order_no}"' in page
        assert f'href="/alarms/{theirs.id}"' not in page
        assert login("chen").get(f"/alarms/{theirs.id}").status_code == 404

    def test_the_tabs_narrow_it_down(self, login, as_, alarm):
        wang = login("wang")
        link = f'href="/alarms/{alarm.id}"'
        assert link in wang.get("/alarms?show=active").text
        assert link not in wang.get("/alarms?show=acknowledged").text
        acknowledge(as_("wang"), alarm_id=alarm.id)
        assert link in wang.get("/alarms?show=acknowledged").text

    def test_without_alarms_the_page_explains_itself(self, login, theirs):
        page = login("wang").get("/alarms").text
        assert "All sensors behave as they usually do." in page

    def test_the_page_shows_the_evidence(self, login, alarm):
        page = login("chen").get(f"/alarms/{alarm.id}").text
        assert 'class="band"' in page
        assert 'class="window"' in page
        assert "× the alarm limit" in page
        assert "Readings around the peak" in page
        assert "formaction" not in page  # a technician reads, an engineer decides

    def test_it_is_acknowledged_and_cleared_there(self, login, as_, alarm):
        wang = login("wang")
        done = wang.post(f"/alarms/{alarm.id}/acknowledge", data={"note": "Looked at it"})
        assert (done.status_code, done.location) == (303, f"/alarms/{alarm.id}")
        assert "Looked at it" in wang.get(done.location).text
        assert wang.post(f"/alarms/{alarm.id}/clear").status_code == 303
        assert wang.post(f"/alarms/{alarm.id}/clear").status_code == 409
        now = alarm_by_id(as_("wang"), alarm.id)
        assert (now.active, now.note) == (False, "Looked at it")

    def test_the_number_of_statements_does_not_grow(self, login, as_, engine, alarm):
        def statements():
            seen = []
            listener = lambda *given: seen.append(given[2])  # noqa: E731  (removed below)
            event.listen(engine, "before_cursor_execute", listener)
            assert login("wang").get("/alarms").status_code == 200
            event.remove(engine, "before_cursor_execute", listener)
            return len(seen)

        before = statements()
        found_on(as_, "wang", "T-2")
        found_on(as_, "wang", "T-3")
        assert statements() == before

    def test_a_nurse_has_no_alarms(self, login, alarm):
        assert login("lin").get("/alarms").status_code == 403


def test_times_in_evidence_are_of_the_episode(as_, alarm):
    assert alarm.since <= alarm.raised_at < alarm.since + timedelta(days=1)
