"""Who gets a job: routing, the proposal and its reason, competence, handing over, the queue."""

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from apm.accounts.queries import system_actor
from apm.assets.model import Department
from apm.core.command import Context
from apm.core.errors import DomainError, Invalid, NotAllowed
from apm.core.events import Outbox
from apm.core.permissions import Role
from apm.dispatch.queue import UNROUTED, queue_of, waiting_counts
from apm.teams.commands import TeamFacts, save_competence, save_team, set_day
from apm.teams.model import Level
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from apm.work.states import Priority, WorkState, WorkType
from apm.work.timeline import timeline_of
from apm.worker.delivery import deliver
from tests.apm.hospital import make_asset, make_work, start_work
from tests.queries import count_queries

MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 10:00 in Shanghai


@pytest.fixture
def ids(as_):
    return {who: as_(who).actor.user_id for who in ("chen", "wang", "amy", "zhao", "lin", "qin")}


@pytest.fixture
def ventilator(as_):
    return make_asset(as_("wang"), "VENT", department="Intensive care")


def fresh(ctx, **by):
    return ctx.session.scalars(select(WorkOrder).filter_by(**by)).one()


def go(ctx, order, action, **facts):
    return move_work(ctx, no=order.no, action=action, facts=Facts(**facts))


# Routing -----------------------------------------------------------------------------------------


def test_work_belongs_to_the_team_its_asset_and_place_lead_to(as_, ventilator):
    ctx = as_("wang")
    ward = ctx.session.scalar(select(Department.id))
    rest = save_team(as_("wang"), facts=TeamFacts("Rest"))
    lungs = save_team(as_("wang"), facts=TeamFacts("Lungs", categories=["VENT"]))
    icu = save_team(
        as_("wang"), facts=TeamFacts("ICU", department_ids=[ward], categories=["VENT"])
    )
    save_team(as_("qin"), facts=TeamFacts("Theirs", categories=["VENT"]))
    assert make_work(as_("wang"), ventilator).team_id == icu.id
    assert make_work(as_("wang"), make_asset(as_("wang"), "VENT")).team_id == lungs.id
    assert make_work(as_("wang"), type=WorkType.PREVENTIVE).team_id == rest.id
    assert make_work(as_("qin")).team_id is None


# Competence --------------------------------------------------------------------------------------


def test_without_any_record_of_competence_nobody_is_kept_from_work(as_, ventilator, ids):
    order = make_work(as_("wang"), ventilator)
    go(as_("chen"), order, "take")
    assert fresh(as_("wang")).assigned_why["level"] is None


@pytest.mark.parametrize("level", [Level.ALONE, Level.SUPERVISED, None, "expired"])
def test_high_risk_equipment_asks_for_competence(as_, ventilator, ids, level):
    save_competence(as_("wang"), user_id=ids["wang"], category_code="VENT")
    if level == "expired":
        save_competence(
            as_("wang"), user_id=ids["chen"], category_code="VENT", valid_until=date(2020, 1, 1)
        )
    elif level:
        save_competence(as_("wang"), user_id=ids["chen"], category_code="VENT", level=level)
    order = make_work(as_("wang"), ventilator)
    if level is Level.ALONE:
        go(as_("chen"), order, "take")
        assert fresh(as_("wang")).assigned_why["level"] == "alone"
        return
    with pytest.raises(Invalid, match="Ask an engineer") as refusal:
        go(as_("chen"), order, "take")
    assert refusal.value.code == "not_competent"
    for said in ({}, {"is_confirmed": True}, {"is_confirmed": True, "reason": " "},
                 {"reason": "With Wang"}):  # fmt: skip
        with pytest.raises(Invalid, match="Confirm it"):
            go(as_("wang"), order, "assign", assignee_id=ids["chen"], **said)
    assert fresh(as_("wang")).state is WorkState.PLANNED
    said = {"assignee_id": ids["chen"], "is_confirmed": True, "reason": "With Wang"}
    go(as_("wang"), order, "assign", **said)
    kept = fresh(as_("wang"))
    assert (kept.assignee_id, kept.reason) == (ids["chen"], "With Wang")
    assert kept.assigned_why["expired"] is (level == "expired")


def test_a_program_never_decides_against_competence(as_, ventilator, ids):
    save_competence(as_("wang"), user_id=ids["wang"], category_code="VENT")
    order = make_work(as_("wang"), ventilator)
    said = {"assignee_id": ids["chen"], "is_confirmed": True, "reason": "Rule 7"}
    with pytest.raises(Invalid, match="Ask an engineer"):
        go(as_("system"), order, "assign", **said)
    go(as_("system"), order, "assign", assignee_id=ids["wang"])


def test_other_equipment_and_other_categories_ask_for_nothing(as_, ids):
    save_competence(as_("wang"), user_id=ids["wang"], category_code="MON")
    save_competence(as_("wang"), user_id=ids["wang"], category_code="VENT")
    go(as_("chen"), make_work(as_("wang")), "take")  # of medium risk
    go(as_("chen"), make_work(as_("wang"), make_asset(as_("wang"), "ANES")), "take")


# Handing over ------------------------------------------------------------------------------------

HOW = {
    WorkState.ASSIGNED: [],
    WorkState.IN_PROGRESS: ["start"],
    WorkState.WAITING_PARTS: ["start", "wait_parts"],
    WorkState.WAITING_VENDOR: ["start", "wait_vendor"],
    WorkState.WAITING_ACCESS: ["start", "wait_access"],
}


@pytest.mark.parametrize("state", list(HOW))
@pytest.mark.parametrize("who", ["chen", "zhao"])
def test_a_job_is_passed_on_in_whatever_state_and_stays_there(as_, ids, state, who):
    order = make_work(as_("wang"))
    go(as_("wang"), order, "assign", assignee_id=ids["chen"])
    for action in HOW[state]:
        go(as_("chen"), order, action, reason="Fan ordered", expected_on=date(2027, 1, 5))
    go(as_(who), order, "hand_over", assignee_id=ids["wang"], reason="Shift ends")
    moved = fresh(as_("wang"))
    assert (moved.state, moved.assignee_id, moved.note) == (state, ids["wang"], "Shift ends")
    if state in {WorkState.WAITING_PARTS, WorkState.WAITING_ACCESS}:
        assert (moved.reason, moved.expected_on) == ("Fan ordered", date(2027, 1, 5))
    line = timeline_of(as_("wang"), work_order(as_("wang"), order.no))[0]
    assert (line.action, line.reason, line.to) == ("hand_over", "Shift ends", "Wang Lei")
    events = [e for e in as_("wang").session.scalars(select(Outbox)) if "moved" in e.kind]
    assert events[-1].payload["action"] == "hand_over"
    assert events[-1].payload["assignee_id"] == ids["wang"]


def test_it_needs_a_colleague_and_a_word(as_, ids):
    order = make_work(as_("wang"))
    go(as_("chen"), order, "take")
    with pytest.raises(Invalid) as refusal:
        go(as_("chen"), order, "hand_over", assignee_id=ids["wang"])
    assert "reason" in refusal.value.fields
    for whom in ("chen", "lin", "zhao", "qin"):  # who has it; who does no work; who is not here
        with pytest.raises(Invalid) as refusal:
            go(as_("chen"), order, "hand_over", assignee_id=ids[whom], reason="x")
        assert "assignee" in refusal.value.fields
    go(as_("chen"), order, "hand_over", assignee_id=ids["wang"], reason="x")
    with pytest.raises(NotAllowed):  # it is not chen's any more
        go(as_("chen"), order, "hand_over", assignee_id=ids["amy"], reason="x")


def test_a_technician_passes_high_risk_work_to_the_competent_only(as_, ventilator, ids):
    save_competence(as_("wang"), user_id=ids["chen"], category_code="VENT")
    order = make_work(as_("wang"), ventilator)
    go(as_("chen"), order, "take")
    with pytest.raises(Invalid, match="Ask an engineer"):
        go(as_("chen"), order, "hand_over", assignee_id=ids["wang"], reason="x", is_confirmed=True)


@pytest.mark.database
def test_of_two_who_hand_over_and_take_back_one_wins(as_, sessions, ids):
    order = make_work(as_("wang"))
    go(as_("chen"), order, "take")
    version = fresh(as_("wang")).version
    actors, gate, through, told = (
        [as_(w).actor for w in ("chen", "zhao")],
        threading.Barrier(2),
        [],
        [],
    )

    def pass_on(actor):
        with sessions() as session:
            gate.wait()
            try:
                facts = Facts(assignee_id=ids["wang"], reason="x")
                ctx = Context(session, actor)
                move_work(ctx, no=order.no, action="hand_over", facts=facts, version=version)
                through.append(actor.name)
            except (DomainError, StaleDataError) as error:
                told.append(error)

    threads = [threading.Thread(target=pass_on, args=[actor]) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(through), len(told)) == (1, 1)


# The queue ---------------------------------------------------------------------------------------


@pytest.mark.database
def test_the_queue_is_sorted_by_priority_then_by_what_runs_out_first(as_):
    now = {"now": lambda: MONDAY}
    team = save_team(as_("wang"), facts=TeamFacts("Team"))
    normal, urgent, high = (
        make_work(as_("wang", **now), priority=p)
        for p in (Priority.NORMAL, Priority.URGENT, Priority.HIGH)
    )
    later = make_work(as_("wang"), priority=Priority.URGENT)
    mine = make_work(as_("wang", **now))
    go(as_("chen", **now), mine, "take")
    make_work(as_("qin"))
    queue = queue_of(as_("wang", **now), team.id)
    expected = sorted([urgent, later], key=lambda order: order.respond_by)
    assert [row.order.no for row in queue.unassigned] == [
        *(order.no for order in expected), high.no, normal.no,
    ]  # fmt: skip
    assert [row.order.no for row in queue.held] == [mine.no]
    assert waiting_counts(as_("wang")) == {team.id: 4}
    assert waiting_counts(as_("qin")) == {UNROUTED: 1}
    assert queue_of(as_("wang"), UNROUTED).unassigned == []


def test_the_queue_proposes_the_best_and_says_why(as_, login, ventilator, ids):
    save_team(as_("wang"), facts=TeamFacts("Lungs", member_ids=[ids["chen"], ids["wang"]]))
    save_competence(as_("wang"), user_id=ids["chen"], category_code="VENT")
    order = make_work(as_("wang"), ventilator, title="Ventilator: alarm")
    page = login("wang").get("/queue").get_data(as_text=True)
    assert "Proposed: Chen Bo" in page
    assert "Competent: Critical care ventilator · 0 open orders" in page
    assert "Assign to Chen Bo" in page
    browser = login("wang")
    said = {"assignee": str(ids["chen"]), "version": order.version, "back": "/queue?team=all"}
    answer = browser.post(f"/work-orders/{order.no}/assign", data=said)
    assert (answer.status_code, answer.location) == (303, "/queue?team=all")
    shown = browser.get(f"/work-orders/{order.no}").get_data(as_text=True)
    assert "Competent: Critical care ventilator" in shown
    # Whoever may not do it is not offered to take it.
    other = make_work(as_("wang"), ventilator)
    assert f"/work-orders/{other.no}/take" not in login("wang").get("/queue").get_data(
        as_text=True
    )
    assert f"/work-orders/{other.no}/take" in login("chen").get("/queue").get_data(as_text=True)


def test_the_queue_page_does_as_it_says_without_scripts(as_, login, ids):
    order = make_work(as_("wang"))
    chen = login("chen")
    back = {"back": "/queue"}
    assert chen.post(f"/work-orders/{order.no}/take", data=back).location == "/queue"
    said = {**back, "assignee": str(ids["wang"]), "reason": "Shift ends"}
    assert chen.post(f"/work-orders/{order.no}/hand_over", data=said).status_code == 303
    assert fresh(as_("wang")).assignee_id == ids["wang"]
    evil = {"back": "https://elsewhere.example/", "reason": "x"}
    answer = login("wang").post(f"/work-orders/{order.no}/give_back", data=evil)
    assert answer.location == f"/work-orders/{order.no}"


def test_what_was_wrong_is_said_beside_the_form(as_, login, ventilator, ids):
    save_competence(as_("wang"), user_id=ids["wang"], category_code="VENT")
    order = make_work(as_("wang"), ventilator)
    said = {"assignee": str(ids["chen"]), "part": "assign"}
    answer = login("wang").post(f"/work-orders/{order.no}/assign", data=said)
    assert answer.status_code == 422
    assert "Chen Bo has no valid competence for Critical care" in answer.get_data(as_text=True)
    answer = login("chen").post(f"/work-orders/{order.no}/take", data={"part": "take"})
    assert answer.status_code == 422
    assert "Ask an engineer to decide." in answer.get_data(as_text=True)


def test_the_queue_costs_the_same_however_long_it_is(as_, login, engine, ids):
    set_day(as_("wang"), user_id=ids["chen"], day=date(2026, 11, 23))
    save_team(as_("wang"), facts=TeamFacts("Team", member_ids=[ids["chen"]]))
    browser, sent = login("wang"), {}
    for n in (3, 12):
        for each in range(n):
            order = make_work(as_("wang"), make_asset(as_("wang"), department=f"Ward {n}-{each}"))
            if each % 3 == 0:
                start_work(as_("chen"), as_("wang"), order)
        with count_queries(engine) as statements:
            assert browser.get("/queue?team=all").status_code == 200
        sent[n] = len(statements)
    assert sent[3] == sent[12] < 30


def test_the_other_hospital_sees_nothing_of_it(as_, login):
    make_work(as_("wang"), title="Ventilator of North")
    for page in ("/queue", "/queue?team=all", "/queue?team=0", "/api/v1/work-orders"):
        assert "North" not in login("qin").get(page).get_data(as_text=True).replace(
            "North Hospital", ""
        )


# The rule ----------------------------------------------------------------------------------------


@pytest.fixture
def deliver_at(sessions):
    """Let the worker deliver what is in the outbox, as on a Monday morning."""

    def go_on():
        with sessions() as session:
            deliver(Context(session, system_actor(None), lambda: MONDAY))

    return go_on


def test_a_team_may_give_new_repairs_out_by_itself(as_, ids, deliver_at):
    now = {"now": lambda: MONDAY}
    facts = TeamFacts("Team", member_ids=[ids["chen"], ids["wang"]], gives_work_out=True)
    save_team(as_("wang"), facts=facts)
    first, second = (make_work(as_("wang", **now)) for _ in range(2))
    planned = make_work(as_("wang", **now), type=WorkType.PREVENTIVE)
    deliver_at()
    deliver_at()
    found = {order.no: order for order in as_("wang").session.scalars(select(WorkOrder))}
    assert found[first.no].assignee_id == ids["chen"]
    assert found[second.no].assignee_id == ids["wang"]  # who had less to do by then
    assert found[first.no].responded_at is None  # nobody has answered yet
    assert found[planned.no].state is WorkState.PLANNED


@pytest.mark.parametrize("why_not", ["other team", "off duty", "no competence", "taken"])
def test_it_leaves_to_people_what_is_theirs_to_decide(as_, ids, ventilator, deliver_at, why_not):
    now = {"now": lambda: MONDAY}
    gives = why_not != "other team"
    save_team(as_("wang"), facts=TeamFacts("Team", member_ids=[ids["chen"]], gives_work_out=gives))
    if why_not == "off duty":
        set_day(as_("wang"), user_id=ids["chen"], day=date(2026, 11, 23))
    if why_not == "no competence":
        save_competence(as_("wang"), user_id=ids["wang"], category_code="VENT")
    order = make_work(as_("wang", **now), ventilator)
    if why_not == "taken":
        go(as_("wang"), order, "take")
    deliver_at()
    expected = ids["wang"] if why_not == "taken" else None
    assert fresh(as_("wang")).assignee_id == expected


# The API -----------------------------------------------------------------------------------------


def test_programs_see_the_team_and_the_clock(as_, client, bearer, ids):
    team = save_team(as_("wang"), facts=TeamFacts("Team", "班组", member_ids=[ids["chen"]]))
    order = make_work(as_("wang"), priority=Priority.URGENT)
    head = bearer()
    [found] = client.get("/api/v1/teams", headers=head).get_json()["items"]
    assert (found["name_zh"], found["categories"]) == ("班组", [])
    assert [person["name"] for person in found["members"]] == ["Chen Bo"]
    shown = client.get(f"/api/v1/work-orders/{order.no}", headers=head).get_json()
    assert shown["team"] == team.id
    assert shown["clock"]["clock"] == "respond"
    assert 0 <= shown["clock"]["minutes"] <= 15
    assert shown["respond_by"] < shown["resolve_by"]
    said = {"assignee": "chen@north.example"}
    path = f"/api/v1/work-orders/{order.no}"
    assert client.post(f"{path}/assign", json=said, headers=head).status_code == 200
    said = {"assignee": "wang@north.example", "reason": "Shift ends"}
    moved = client.post(f"{path}/hand_over", json=said, headers=head).get_json()
    assert (moved["assignee"], moved["state"]) == ("Wang Lei", "assigned")
    said = {"priority": "low", "reason": "A spare came"}
    moved = client.post(f"{path}/prioritise", json=said, headers=head).get_json()
    assert moved["priority"] == "low"
    wanted = client.get(f"/api/v1/work-orders?team={team.id + 1}", headers=head).get_json()
    assert wanted["items"] == []
    assert client.get("/api/v1/teams", headers=bearer(Role.REPORTER)).status_code == 403
