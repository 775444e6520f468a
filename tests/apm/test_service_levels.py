"""The clocks of an order: what starts, stops and moves them, who is told, how well they do."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.model import Availability
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.errors import Invalid, NotAllowed
from apm.core.events import Outbox
from apm.dispatch.compliance import compliance, total
from apm.dispatch.watching import watch_orders
from apm.requests import triage
from apm.requests.waiting import watch_reports
from apm.teams.commands import TeamFacts, save_team, set_special_day
from apm.work.clock_model import Runs, ServiceEscalation, ServiceLevel, ServiceWatch, Unit
from apm.work.clock_view import clock_of, response_of
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.service_levels import USUAL, Promise, Target, promises, set_promise
from apm.work.states import Priority, WorkState, WorkType
from tests.apm.hospital import make_asset, make_request, make_work
from tests.queries import count_queries

START = datetime(2026, 11, 23, 2, tzinfo=UTC)  # a Monday, 10:00 in Shanghai


def after(minutes=0, **more):
    return START + timedelta(minutes=minutes, **more)


@pytest.fixture
def at(as_):
    """`at("wang", 20)` is Wang 20 minutes after the report."""
    return lambda who, minutes=0, **more: as_(who, now=lambda: after(minutes, **more))


@pytest.fixture
def order(at):
    """An urgent repair: answered within 15 minutes, working again within 4 hours."""
    request = make_request(at("lin"), make_asset(at("wang")), patient_involved=True)
    made = triage.accept(at("wang", 5), no=request.no)
    assert made.priority is Priority.URGENT
    return made


def fresh(ctx, model=WorkOrder, **by):
    return ctx.session.scalars(select(model).filter_by(**by)).one()


def give(at, order, minutes, who="chen"):
    facts = Facts(assignee_id=at(who).actor.user_id)
    move_work(at("wang", minutes), no=order.no, action="assign", facts=facts)


def step(ctx, order, action, **facts):
    return move_work(ctx, no=order.no, action=action, facts=Facts(**{"reason": "x", **facts}))


def told(ctx):
    return [
        (e.kind.rpartition("_")[2], e.payload["clock"], e.payload["no"], e.payload["people"])
        for e in ctx.session.scalars(select(Outbox).order_by(Outbox.id))
        if "service_level" in e.kind
    ]


# The clocks --------------------------------------------------------------------------------------


def test_both_clocks_begin_with_the_report_not_with_the_order(order):
    assert order.clock_from == START
    assert order.respond_by == after(15)
    assert order.resolve_by == after(hours=4)


def test_maintenance_has_no_clock_and_a_repair_without_a_report_begins_when_it_is_opened(at):
    planned = make_work(at("wang"), type=WorkType.PREVENTIVE)
    assert (planned.clock_from, planned.resolve_by) == (None, None)
    opened = make_work(at("wang", 30), priority=Priority.URGENT)
    assert opened.respond_by == after(45)


@pytest.mark.parametrize("action", ["take", "assign"])
def test_the_first_thing_a_person_does_is_the_answer(at, order, action):
    if action == "take":
        move_work(at("chen", 7), no=order.no, action="take")
    else:
        give(at, order, 7)
    assert fresh(at("wang")).responded_at == after(7)
    step(at("chen", 8), order, "give_back")
    move_work(at("wang", 9), no=order.no, action="take")
    assert fresh(at("wang")).responded_at == after(7)  # an answer is not taken back


def test_a_program_is_no_answer(at, order):
    facts = Facts(assignee_id=at("chen").actor.user_id)
    move_work(at("system", 7), no=order.no, action="assign", facts=facts)
    assert fresh(at("wang")).responded_at is None
    move_work(at("chen", 9), no=order.no, action="start")
    assert fresh(at("wang")).responded_at == after(9)


@pytest.mark.parametrize(
    ("wait", "moved"),
    [
        ("wait_access", timedelta(hours=2)),
        ("wait_parts", timedelta()),
        ("wait_vendor", timedelta()),
    ],
)
def test_only_waiting_for_access_stops_the_repair_clock(at, order, wait, moved):
    give(at, order, 6)
    move_work(at("chen", 10), no=order.no, action="start")
    step(at("chen", 60), order, wait)
    paused = fresh(at("wang"))
    assert (paused.paused_at is not None) is bool(moved)
    down = paused.down_from
    move_work(at("chen", 180), no=order.no, action="resume")
    again = fresh(at("wang"))
    assert again.resolve_by == after(hours=4) + moved
    assert again.respond_by == after(15)
    assert (again.paused_at, again.down_from, again.down_until) == (None, down, None)


def test_a_pause_after_the_end_changes_nothing(at, order):
    give(at, order, 6)
    move_work(at("chen", 10), no=order.no, action="start")
    step(at("chen", hours=5), order, "wait_access")
    move_work(at("chen", hours=9), no=order.no, action="resume")
    assert fresh(at("wang")).resolve_by == after(hours=4)


def test_pauses_add_up_and_cancelling_ends_one(at, order):
    give(at, order, 6)
    move_work(at("chen", 10), no=order.no, action="start")
    for begins, ends in ((20, 30), (40, 60)):
        step(at("chen", begins), order, "wait_access")
        move_work(at("chen", ends), no=order.no, action="resume")
    assert fresh(at("wang")).resolve_by == after(30, hours=4)
    step(at("chen", 90), order, "wait_access")
    step(at("wang", 95), order, "cancel")
    assert fresh(at("wang")).paused_at is None
    assert fresh(at("wang")).resolve_by == after(35, hours=4)


def test_another_priority_winds_both_clocks_anew_from_the_report(at, order):
    step(at("wang", 30), order, "prioritise", priority=Priority.HIGH)
    changed = fresh(at("wang"))
    assert changed.respond_by == after(60)  # one working hour
    assert changed.resolve_by == after(days=1)  # one working day, 10:00 to 10:00
    give(at, order, 40)
    move_work(at("chen", 50), no=order.no, action="start")
    step(at("chen", 60), order, "wait_access")
    move_work(at("chen", 90), no=order.no, action="resume")
    step(at("wang", 100), order, "prioritise", priority=Priority.URGENT)
    assert fresh(at("wang")).resolve_by == after(30, hours=4)  # the pause still counts
    for wrong in (None, Priority.URGENT):
        with pytest.raises(Invalid):
            step(at("wang", 101), order, "prioritise", priority=wrong)
    with pytest.raises(NotAllowed):
        step(at("chen", 101), order, "prioritise", priority=Priority.LOW)


def test_each_step_leaves_one_line_in_the_trail(at, order):
    give(at, order, 6)
    move_work(at("chen", 10), no=order.no, action="start")
    step(at("chen", 60), order, "wait_access")
    move_work(at("chen", 90), no=order.no, action="resume")
    step(at("wang", 100), order, "prioritise", priority=Priority.HIGH)
    query = select(AuditEntry).where(AuditEntry.entity == "WorkOrder").order_by(AuditEntry.seq)
    assert [entry.command for entry in at("wang").session.scalars(query)] == [
        "request.accept", "work_order.assign", "work_order.start", "work_order.wait_access",
        "work_order.resume", "work_order.prioritise",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "words", "state"),
    [
        (3, "Answer within 12 minutes", "running"),
        (15, "Answer within 1 minute", "running"),
        (45, "Answer 30 minutes late", "late"),
    ],
)
def test_the_clock_speaks(order, minutes, words, state):
    view = clock_of(order, after(minutes))
    assert (view.words, view.state) == (words, state)


def test_the_clock_speaks_of_the_repair_once_it_is_answered(at, order):
    give(at, order, 20)
    answered = fresh(at("wang"))
    assert response_of(answered).words == "Answer 5 minutes late"
    assert clock_of(answered, after(60)).words == "Repair within 3 hours"
    move_work(at("chen", 70), no=order.no, action="start")
    step(at("chen", 80), order, "wait_access")
    assert clock_of(fresh(at("wang")), after(95)).words == "Clock paused for 15 minutes"
    move_work(at("chen", 100), no=order.no, action="resume")
    assert clock_of(fresh(at("wang")), after(hours=8)).words == "Repair 4 hours late"


# Promises ----------------------------------------------------------------------------------------


def test_a_hospital_promises_for_itself_and_new_work_follows(at, order):
    slow = Promise(Priority.URGENT, Runs.WORKING, Target(1, Unit.HOURS), Target(2, Unit.DAYS))
    set_promise(at("zhao"), promise=slow)
    assert promises(at("wang"))[Priority.URGENT] == slow
    assert promises(at("qin")) == USUAL
    made = make_work(at("wang"), priority=Priority.URGENT)
    assert made.resolve_by == after(days=2)
    assert fresh(at("wang"), no=order.no).resolve_by == after(hours=4)
    set_promise(at("wang"), promise=USUAL[Priority.URGENT])
    entries = at("wang").session.scalars(select(AuditEntry).filter_by(entity="ServiceLevel"))
    assert [entry.changes["resolve"][1] for entry in entries] == ["2", "4"]
    assert len(list(at("wang").session.scalars(select(ServiceLevel)))) == 1


@pytest.mark.parametrize(
    ("respond", "resolve"),
    [((0, Unit.HOURS), (1, Unit.DAYS)), ((2, Unit.DAYS), (1, Unit.DAYS)),
     ((1, Unit.HOURS), (99_999, Unit.DAYS))],
)  # fmt: skip
def test_a_promise_makes_sense_or_is_refused(at, respond, resolve):
    with pytest.raises(Invalid):
        wrong = Promise(Priority.LOW, Runs.ALWAYS, Target(*respond), Target(*resolve))
        set_promise(at("wang"), promise=wrong)


def test_technicians_promise_nothing(at):
    with pytest.raises(NotAllowed):
        set_promise(at("chen"), promise=USUAL[Priority.LOW])


def test_a_holiday_is_no_working_day(at):
    set_special_day(at("wang"), day=date(2026, 11, 24), is_working=False)
    made = make_work(at("wang"), priority=Priority.HIGH)
    assert made.resolve_by == after(days=2)


# Escalation --------------------------------------------------------------------------------------


def watch(at, minutes=0, **more):
    return watch_orders(at("system", minutes, **more))


def test_the_ladder_from_the_assignee_to_those_who_decide(at):
    wang, chen, zhao, amy = (at(w).actor.user_id for w in ("wang", "chen", "zhao", "amy"))
    save_team(at("zhao"), facts=TeamFacts("Team", lead_id=zhao, member_ids=[chen, wang]))
    request = make_request(at("lin"), make_asset(at("wang")), patient_involved=True)
    order = triage.accept(at("wang", 1), no=request.no)
    assert watch(at, 11) == 0
    assert watch(at, 12) == 1  # three quarters of 15 minutes
    assert told(at("wang")) == [("near", "respond", order.no, [chen, wang])]  # who is on duty
    assert watch(at, 15) == 1
    assert told(at("wang"))[1:] == [("missed", "respond", order.no, [zhao])]  # the lead
    give(at, order, 20)
    assert watch(at, hours=2) == 0
    assert watch(at, hours=3) == 1
    assert told(at("wang"))[2:] == [("near", "resolve", order.no, [chen])]  # who has it
    assert watch(at, hours=4) == 1
    assert told(at("wang"))[3:] == [
        ("missed", "resolve", order.no, sorted([wang, zhao, amy]))  # who decides
    ]
    assert watch(at, days=3) == 0


def test_what_was_done_in_time_is_told_to_nobody(at, order):
    give(at, order, 6)
    assert watch(at, 20) == 0
    move_work(at("chen", 10), no=order.no, action="start")
    step(at("chen", 170), order, "wait_access")
    assert watch(at, hours=9) == 0  # the clock stands still
    move_work(at("chen", hours=9), no=order.no, action="resume")
    assert watch(at, hours=9) == 0
    assert watch(at, hours=9, minutes=10) == 1
    step(at("wang", hours=9, minutes=20), order, "cancel")
    assert watch(at, days=9) == 0
    assert fresh(at("wang"), ServiceWatch, kind="work").next_check_at is None


def test_a_worker_that_was_down_for_a_day_tells_each_breach_once(at, order):
    assert watch(at, days=1) == 2  # too late to say that it will be too late
    assert [(e[0], e[1]) for e in told(at("wang"))] == [
        ("missed", "respond"), ("missed", "resolve"),
    ]  # fmt: skip
    assert watch(at, days=1) == 0
    assert watch(at, days=2) == 0


@pytest.mark.database
def test_two_workers_at_once_tell_it_once(at, order, sessions):
    actor, gate, found = at("system").actor, threading.Barrier(2), []

    def look():
        with sessions() as session:
            gate.wait()
            found.append(watch_orders(Context(session, actor, lambda: after(20))))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
    assert len(told(at("wang"))) == 1
    assert len(list(at("wang").session.scalars(select(ServiceEscalation)))) == 1


def test_looking_at_what_is_due_does_not_change_the_order(at, order):
    version = fresh(at("wang")).version
    watch(at, days=1)
    assert fresh(at("wang")).version == version


def test_only_what_is_due_is_looked_at(at, order, engine):
    give(at, order, 6)
    for _ in range(5):
        make_work(at("wang", 6), priority=Priority.LOW)
    ctx = at("system", 30)
    with count_queries(engine) as sent:
        watch_orders(ctx)
    assert len([s for s in sent if "work_order" in s]) == 0


def test_a_report_nobody_decides_about_does_not_wait_unheard(at):
    request = make_request(at("lin"), make_asset(at("wang")), patient_involved=True)
    assert watch_reports(at("system", 11)) == 0
    assert watch_reports(at("system", 12)) == 1
    assert watch_reports(at("system", 15)) == 1
    assert watch_reports(at("system", 60)) == 0
    assert [e[:3] for e in told(at("wang"))] == [
        ("near", "respond", request.no), ("missed", "respond", request.no),
    ]  # fmt: skip
    order = triage.accept(at("wang", 61), no=request.no)
    assert watch(at, 62) == 0  # the same breach is not told again of the order
    assert watch(at, hours=4) == 1
    assert told(at("wang"))[-1][:3] == ("missed", "resolve", order.no)


@pytest.mark.parametrize("decision", ["ask", "reject"])
def test_a_report_that_was_decided_about_is_left_alone(at, decision):
    request = make_request(at("lin"), make_asset(at("wang")), patient_involved=True)
    getattr(triage, decision)(at("wang", 3), no=request.no, reason="why")
    assert watch_reports(at("system", days=1)) == 0


# Compliance --------------------------------------------------------------------------------------


@pytest.mark.database
def test_how_well_promises_are_kept_with_their_number(at):
    team = save_team(at("wang"), facts=TeamFacts("Team"))
    in_time, late, open_late, running, cancelled, other = (
        make_work(at("wang"), priority=Priority.URGENT) for _ in range(6)
    )
    make_work(at("qin"), priority=Priority.URGENT)
    for order, minutes in ((in_time, 5), (late, 30)):
        give(at, order, minutes)
        move_work(at("chen", minutes + 1), no=order.no, action="start")
    ctx = at("wang")
    with ctx.writing("test"):
        fresh(ctx, no=in_time.no).done_at = after(hours=3)
        fresh(ctx, no=late.no).done_at = after(hours=5)
        fresh(ctx, no=other.no).clock_from = after(days=-40)
        fresh(ctx, no=running.no).respond_by = after(days=9)
        fresh(ctx, no=running.no).resolve_by = after(days=9)
    step(at("wang", 20), cancelled, "cancel")
    [month] = compliance(at("wang", days=1), date(2026, 11, 30), "Asia/Shanghai")
    assert month.team_id == team.id
    assert (month.respond.met, month.respond.n) == (1, 3)  # in time; late; never answered
    assert (month.resolve.met, month.resolve.n) == (1, 3)
    assert total([month, month]).resolve.share == pytest.approx(2 / 6)
    assert compliance(at("wang", days=1), date(2026, 12, 1), "Asia/Shanghai") == []
    assert total([]).respond.share is None
    assert fresh(at("wang"), no=open_late.no).state is WorkState.PLANNED


# Downtime ----------------------------------------------------------------------------------------


def test_downtime_never_stops(at):
    asset = make_asset(at("wang"))
    order = make_work(at("wang"), asset)
    give(at, order, 5)
    move_work(at("chen", 10), no=order.no, action="start")
    step(at("chen", 20), order, "wait_access")
    assert fresh(at("wang")).down_from == after(10)
    assert fresh(at("wang"), type(asset)).availability is Availability.DOWN
