"""The calendar: what is planned, by day and person, and moving it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from apm.core.clock import local_day, utc_now
from apm.core.errors import Conflict, Invalid
from apm.maintenance.calendar import month_of, week_of
from apm.maintenance.commands import add_plan
from apm.maintenance.filling import Chosen, Limit, proposed, take_over
from apm.maintenance.model import PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.scheduling import reschedule
from apm.work.states import WorkType
from tests.apm.hospital import make_asset, make_work, start_work
from tests.queries import count_queries

MONDAY = date(2026, 6, 1)


@pytest.fixture
def today():
    return local_day(utc_now(), "Asia/Shanghai")


@pytest.fixture
def job(as_):
    """`job(day)` is maintenance of a monitor, planned for that day; South has some, too."""

    def make(day, who="wang", **facts):
        facts = {"type": WorkType.PREVENTIVE, "title": "Maintenance", "due_on": day, **facts}
        return make_work(as_(who), template_code="MON", **facts)

    return make


def now(as_, order, who="wang"):
    """The order as it stands."""
    query = select(WorkOrder).where(WorkOrder.no == order.no)
    return as_(who).session.scalars(query.execution_options(populate_existing=True)).one()


def test_a_month_has_its_work_and_what_falls_due(as_, job):
    in_june = job(date(2026, 6, 30))
    for day in (date(2026, 5, 31), date(2026, 7, 1)):
        job(day)
    job(date(2026, 6, 15), who="qin")
    rhythm = Rhythm(PlanMode.FIXED, 12, date(2027, 6, 9), 14, 14)
    add_plan(as_("wang"), asset=make_asset(as_("wang")).code, template="MON", rhythm=rhythm)

    days = month_of(as_("wang"), MONDAY)
    next_year = month_of(as_("wang"), date(2027, 6, 1))

    assert len(days) == 30
    assert {d.day: [e.order.no for e in d.entries] for d in days if d.entries} == {
        date(2026, 6, 30): [in_june.no]
    }
    coming = [(d.day, [(one.template_code, one.n) for one in d.coming]) for d in next_year]
    assert [one for one in coming if one[1]] == [(date(2027, 6, 9), [("MON", 1)])]
    assert not days[18].is_workday  # 19 June 2026, the Dragon Boat holiday


def test_a_week_sets_hours_planned_against_hours_there(as_, job):
    chen = as_("chen").actor.user_id
    for _n in range(14):  # a monitor takes more than 39 minutes
        give = Facts(assignee_id=chen)
        move_work(as_("wang"), no=job(MONDAY + timedelta(days=1)).no, action="assign", facts=give)
    job(MONDAY)
    job(MONDAY, who="qin")

    rows = {row.person.email if row.person else None: row for row in week_of(as_("wang"), MONDAY)}

    mine = rows["chen@north.example"]
    assert [cell.free for cell in mine.cells] == [540, 540, 540, 540, 540, 0, 0]
    assert len(mine.cells[1].entries) == 14
    assert mine.cells[1].is_over
    assert not mine.cells[0].is_over
    assert [len(cell.entries) for cell in rows[None].cells] == [1, 0, 0, 0, 0, 0, 0]
    assert "qin@south.example" not in rows


def test_work_moves_to_another_day_and_person_and_its_last_day_stays(as_, job, today):
    order = job(today, late_after=today + timedelta(days=3))
    day, chen = today + timedelta(days=9), as_("chen").actor.user_id

    reschedule(as_("wang"), no=order.no, day=day, assignee_id=chen, version=order.version)

    moved = now(as_, order)
    assert (moved.due_on, moved.late_after) == (day, today + timedelta(days=3))
    assert (moved.assignee_id, moved.state.value) == (chen, "assigned")


def test_what_has_begun_or_changed_is_not_moved(as_, job, today):
    order = job(today)
    seen = order.version
    reschedule(as_("wang"), no=order.no, day=today, assignee_id=as_("chen").actor.user_id)
    with pytest.raises(Conflict):
        reschedule(as_("zhao"), no=order.no, day=today, version=seen)
    with pytest.raises(Invalid) as caught:
        reschedule(as_("wang"), no=order.no, day=today - timedelta(days=1))
    assert "day" in caught.value.fields
    begun = job(today)
    start_work(as_("chen"), as_("wang"), begun)
    with pytest.raises(Conflict):
        reschedule(as_("wang"), no=begun.no, day=today)


def test_what_nobody_has_is_proposed_to_who_has_time(as_, job, today):
    orders = [job(today + timedelta(days=7), late_after=today + timedelta(days=7))]
    job(today, who="qin")

    moves = proposed(as_("wang"))

    assert [m.entry.order.no for m in moves] == [o.no for o in orders]
    assert moves[0].limit is None
    assert moves[0].person_id is not None
    assert moves[0].day is not None
    assert moves[0].day <= today + timedelta(days=8)
    one = moves[0]
    chosen = Chosen(orders[0].no, orders[0].version, one.day, one.person_id)
    assert take_over(as_("wang"), chosen=[chosen]) == 1
    assert now(as_, orders[0]).assignee_id == one.person_id
    assert proposed(as_("wang")) == []
    with pytest.raises(Conflict):  # it was taken over already
        take_over(as_("wang"), chosen=[chosen])


def test_what_fits_nowhere_says_what_limits_it(as_, today, monkeypatch):
    monkeypatch.setattr("apm.maintenance.filling.minutes_there", lambda *_: 0)
    make_work(as_("wang"), type=WorkType.PREVENTIVE, title="Long", due_on=today)

    assert [m.limit for m in proposed(as_("wang"))] == [Limit.NO_TIME]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Hours planned of hours there"), ("zh", "已排工时／在岗工时")]
)
def test_the_pages_speak_both_languages(as_, login, job, today, lang, words):
    order = job(today)
    wang = login("wang")
    assert words in wang.get(f"/calendar?view=week&lang={lang}").get_data(as_text=True)
    for path in ("/calendar", "/calendar?view=list", "/calendar/fill"):
        page = wang.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.status_code == 200
        assert order.no in page.get_data(as_text=True)


def test_a_move_by_the_form(as_, login, job, today):
    order, wang = job(today, late_after=today), login("wang")
    path = f"/calendar/{order.no}/move"
    assert wang.get(path).status_code == 200
    assert "1990" in wang.post(path, data={"day": "0001-01-01"}).get_data(as_text=True)

    answer = wang.post(path, data={"day": (today + timedelta(days=1)).isoformat()})

    assert (answer.status_code, answer.location) == (303, "/calendar")
    assert "it will count as late" in wang.get("/calendar").get_data(as_text=True)
    assert now(as_, order).due_on == today + timedelta(days=1)
    assert login("chen").get(path).status_code == 403
    assert login("qin").get(path).status_code == 404
    assert wang.post("/calendar/fill", data={"take": "nonsense"}).status_code == 303


def test_a_month_costs_the_same_however_much_there_is(engine, login, job, today):
    wang = login("wang")
    job(today)
    wang.get("/calendar")
    with count_queries(engine) as few:
        wang.get("/calendar")
    for _n in range(5):
        job(today)
    with count_queries(engine) as many:
        wang.get("/calendar")
    assert len(many) == len(few)
