"""What a job finds is told once: late work, parts that run low; and reports reach their team."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import hospital_day, system_actor
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.dispatch.events import ServiceLevelMissed
from apm.metrology.events import (
    InstrumentDue,
    InstrumentOutOfTolerance,
    UseAllowed,
    UseBlocked,
    VerificationsDue,
)
from apm.notify.low_stock import tell_of_low_stock
from apm.notify.messages import message_text
from apm.notify.model import Notification
from apm.notify.overdue import remind
from apm.requests.events import AdverseEventSuspected, RequestReported
from apm.teams.commands import TeamFacts, save_team
from apm.work.states import WorkType
from apm.worker.delivery import deliver
from tests.apm.hospital import make_asset, make_work, start_work
from tests.apm.stockroom import make_part

pytestmark = pytest.mark.database


@pytest.fixture
def told(as_):
    """Deliver what was announced; return who was told what."""

    def read():
        deliver(Context(as_("system").session, system_actor(None)))
        names = {as_(n).actor.user_id: n for n in ("lin", "chen", "wang", "zhao", "amy", "qin")}
        rows = Context(as_("system").session, system_actor(None)).session.scalars(
            select(Notification).where(Notification.kind.not_in(["assigned", "to_close"]))
        )
        return {(names[row.user_id], row.kind, row.params.get("no")) for row in rows}

    return read


@pytest.fixture
def announce(as_):
    def emit(event):
        with (ctx := as_("system")).writing("test"):
            ctx.emit(event)

    return emit


def test_late_work_is_told_once_to_who_has_it(as_, told):
    wang, chen = as_("wang"), as_("chen")
    today = hospital_day(wang)
    given, free, on_time, long_ago = (
        make_work(wang, due_on=today - timedelta(days=days)) for days in (1, 1, 0, 30)
    )
    make_work(as_("qin"), due_on=today - timedelta(days=1))
    start_work(chen, wang, given)
    for _turn in range(2):
        remind(as_("system"))
        remind(Context(as_("qin").session, system_actor(as_("qin").actor.hospital_id)))
    found = told()
    assert ("chen", "overdue", given.no) in found
    assert {who for who, _k, no in found if no == free.no} >= {"wang", "zhao"}
    assert not {no for _w, _k, no in found} & {on_time.no, long_ago.no}
    rows = as_("chen").session.scalars(select(Notification).where(Notification.kind == "overdue"))
    mine = [row for row in rows if row.user_id == chen.actor.user_id]
    assert len(mine) == 1


def test_reminders_go_from_the_person_to_the_team_to_the_manager(as_):
    """Each stage is told once; the worker runs every day of the month, and twice."""
    wang, chen = as_("wang"), as_("chen")
    lead = as_("amy").actor.user_id
    facts = TeamFacts("Monitors", "监护组", lead, (), ("MON",), (chen.actor.user_id,))
    save_team(wang, facts=facts)
    today = hospital_day(wang)
    kind = {"type": WorkType.PREVENTIVE, "title": "Maintenance"}
    days = {"due_on": today + timedelta(days=10), "late_after": today + timedelta(days=14)}
    mine, free = (make_work(wang, **days, **kind) for _n in range(2))
    start_work(chen, wang, mine)
    make_work(as_("qin"), **days, **kind)
    worker, everything = as_("system"), Context(as_("system").session, system_actor(None))
    names = {as_(n).actor.user_id: n for n in ("chen", "wang", "zhao", "amy", "qin")}
    heard = {}
    for day in range(20):
        worker.now = everything.now = lambda day=day: utc_now() + timedelta(days=day)
        remind(worker)
        assert remind(worker) == 0
        everything.session.rollback()  # of what was read the day before
        deliver(everything)
        for row in everything.session.scalars(select(Notification)):
            if row.kind != "assigned":
                heard.setdefault((row.params["no"], row.kind, names[row.user_id]), day)

    assert {(stage, who): day for (no, stage, who), day in heard.items() if no == mine.no} == {
        ("due_soon", "chen"): 7, ("due_today", "chen"): 10,
        ("in_grace", "chen"): 11, ("in_grace", "amy"): 11,
        ("overdue", "chen"): 15, ("overdue", "amy"): 15, ("overdue", "zhao"): 15,
    }  # fmt: skip
    of_nobody = {(s, w) for (no, s, w) in heard if no == free.no}
    assert {w for s, w in of_nobody if s == "due_soon"} == {"wang", "amy"}
    assert ("overdue", "zhao") in of_nobody
    assert not [key for key in heard if key[2] == "qin"]


def test_parts_that_run_low_are_told_once_until_they_were_above(as_, told):
    wang = as_("wang")
    make_part(wang, minimum_milli=5000)
    make_part(wang, minimum_milli=5000)
    make_part(wang)  # nobody asked for a minimum
    make_part(as_("qin"), minimum_milli=5000)
    assert tell_of_low_stock(as_("system")) == 2
    assert tell_of_low_stock(as_("system")) == 0
    assert {who for who, kind, _no in told() if kind == "parts_low"} == {"wang", "zhao", "amy"}


def test_a_report_goes_to_the_team_that_serves_the_equipment(as_, told, announce):
    wang, chen = as_("wang").actor.user_id, as_("chen").actor.user_id
    asset = make_asset(as_("wang"), "VENT")
    save_team(
        as_("wang"), facts=TeamFacts("Imaging", None, None, categories=["CT"], member_ids=[wang])
    )
    save_team(
        as_("wang"),
        facts=TeamFacts("Breathing", None, None, categories=["VENT"], member_ids=[chen]),
    )
    announce(RequestReported(1, "R-1", asset.id, "alarm", is_urgent=False))
    found = {who for who, kind, _no in told() if kind == "request_reported"}
    assert found == {"wang", "amy"}  # nobody of that team triages: it must not fall between two
    save_team(
        as_("wang"),
        facts=TeamFacts(
            "Ventilation", None, None, categories=["MON"], member_ids=[as_("amy").actor.user_id]
        ),
    )
    other = make_asset(as_("wang"), "MON")
    announce(RequestReported(2, "R-2", other.id, "alarm", is_urgent=False))
    assert {who for who, _kind, no in told() if no == "R-2"} == {"amy"}


def test_a_suspected_adverse_event_reaches_the_managers(told, announce, as_):
    announce(AdverseEventSuspected(1, "R-1", make_asset(as_("wang")).id))
    assert {who for who, kind, _no in told() if kind == "adverse_event"} == {"wang", "zhao", "amy"}


def test_a_missed_clock_is_told_to_the_people_named_and_to_no_other_hospital(as_, told, announce):
    people = [as_(who).actor.user_id for who in ("zhao", "qin")]
    announce(
        ServiceLevelMissed(
            no="WO-1",
            url="/work-orders/WO-1",
            clock="respond",
            due_at="2026-11-22T08:00:00+00:00",
            priority="urgent",
            team_id=None,
            people=people,
        )
    )
    assert told() == {("zhao", "respond_late", "WO-1")}


def test_those_who_keep_verifications_are_told_what_becomes_of_them(as_, told, announce):
    wang = as_("wang")
    asset = make_asset(wang, number="ICU-7")
    make_asset(as_("qin"), number="ICU-7")
    announce(VerificationsDue(4))
    announce(UseBlocked(asset.id, asset.code, "overdue"))
    announce(UseAllowed(asset.id, asset.code))
    announce(InstrumentDue(1, "FLUKE-1", "overdue", "2026-10-01"))
    announce(InstrumentOutOfTolerance(1, "FLUKE-1", 3))
    kinds = {
        ("verifications_due", None), ("use_blocked", "ICU-7"), ("use_allowed", "ICU-7"),
        ("instrument_due", "FLUKE-1"), ("instrument_doubtful", "FLUKE-1"),
    }  # fmt: skip
    assert told() == {(who, *what) for who in ("wang", "zhao", "amy") for what in kinds}
    texts = {message_text(row) for row in as_("wang").session.scalars(select(Notification))}
    assert texts == {
        "Verifications newly due within 60 days: 4",
        "Do not use ICU-7. Its verification: Overdue",
        "ICU-7 may be used again: its verification is valid",
        "Calibration of test instrument FLUKE-1: Overdue",
        "Test instrument FLUKE-1 was out of tolerance. Work orders in doubt: 3",
    }
