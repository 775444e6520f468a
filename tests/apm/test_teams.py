"""Teams, competence and the rota: who a job belongs to, who is there, who may do it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from apm.assets.model import Department
from apm.core.audit import AuditEntry
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.teams import commands
from apm.teams.commands import TeamFacts
from apm.teams.model import Competence, Level, Membership, Team
from apm.teams.queries import calendar_of, staff_of, teams
from apm.teams.rota import PersonRota
from apm.teams.routing import team_for
from apm.teams.wording import reasons_for
from apm.teams.working_time import WorkingCalendar
from tests.apm.hospital import make_asset

MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 10:00 in Shanghai


def at(text, zone="Asia/Shanghai"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def make_team(ctx, name="Team", **facts):
    return commands.save_team(ctx, facts=TeamFacts(name, **facts))


# Routing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "department", "goes_to"),
    [
        ("VENT", 1, "ventilators of the ICU"),
        ("VENT", 2, "ventilators"),
        ("MON", 1, "the ICU"),
        ("MON", 2, "the rest"),
        (None, 1, "the ICU"),
        (None, None, "the rest"),
        ("CT", 2, "imaging"),
    ],
)
def test_the_closest_scope_gets_the_job(category, department, goes_to):
    scopes = {
        "the rest": ([], []),
        "the ICU": ([1], []),
        "ventilators": ([], ["VENT"]),
        "imaging": ([], ["CT", "MRI"]),
        "ventilators of the ICU": ([1], ["VENT"]),
        "all ventilators and more, elsewhere": ([3], ["VENT", "MON"]),
    }
    made = [
        Team(id=n, name=name, department_ids=d, categories=c, is_active=True)
        for n, (name, (d, c)) in enumerate(scopes.items(), 1)
    ]
    found = team_for(reversed(made), category=category, department_id=department)
    assert found.name == goes_to


def test_of_equals_the_narrower_then_the_older_and_none_that_is_not_in_use():
    wide = Team(id=1, name="wide", department_ids=[], categories=["CT", "MRI"], is_active=True)
    narrow = Team(id=2, name="narrow", department_ids=[], categories=["CT"], is_active=True)
    twin = Team(id=3, name="twin", department_ids=[], categories=["CT"], is_active=True)
    closed = Team(id=4, name="closed", department_ids=[7], categories=["CT"], is_active=False)
    assert team_for([twin, wide, narrow, closed], category="CT", department_id=7) is narrow
    assert team_for([wide], category="MON", department_id=7) is None


# Teams -------------------------------------------------------------------------------------------


def test_a_team_is_made_and_changed_and_the_trail_tells_both(as_):
    wang, chen = as_("wang").actor.user_id, as_("chen").actor.user_id
    make_asset(as_("wang"), department="ICU")
    ward = as_("wang").session.scalar(select(Department.id))
    made = make_team(
        as_("zhao"), lead_id=wang, member_ids=[chen, wang], department_ids=[ward],
        categories=["VENT"],
    )  # fmt: skip
    facts = TeamFacts("Team", "班组", member_ids=[wang], is_active=False)
    commands.save_team(as_("amy"), facts=facts, team_id=made.id, version=made.version)
    ctx = as_("wang")
    [team] = teams(ctx)
    assert (team.name_zh, team.lead_id, team.department_ids, team.categories, team.is_active) == (
        "班组", None, [], [], False,
    )  # fmt: skip
    assert [row.user_id for row in ctx.session.scalars(select(Membership))] == [wang]
    entries = list(ctx.session.scalars(select(AuditEntry).where(AuditEntry.entity == "Team")))
    assert [entry.command for entry in entries] == ["team.save", "team.save"]
    assert entries[1].changes["categories"] == ['["VENT"]', "[]"]


def test_only_those_who_dispatch_change_teams(as_):
    for who in ("lin", "chen"):
        with pytest.raises(NotAllowed):
            make_team(as_(who))


@pytest.mark.parametrize(
    "facts",
    [{"lead_id": "lin"}, {"member_ids": ["zhao"]}, {"member_ids": ["qin"]},
     {"department_ids": [99]}, {"categories": ["NONE"]}],
    ids=str,
)  # fmt: skip
def test_what_is_not_here_is_refused(as_, facts):
    def known(value):
        return as_(value).actor.user_id if isinstance(value, str) and value.islower() else value

    given = {
        key: [known(each) for each in value] if isinstance(value, list) else known(value)
        for key, value in facts.items()
    }
    with pytest.raises(Invalid):
        make_team(as_("wang"), **given)
    assert teams(as_("wang")) == []


def test_two_teams_of_one_name_and_a_stale_form_are_refused(as_):
    made = make_team(as_("wang"))
    with pytest.raises(Invalid):
        make_team(as_("wang"), " Team ")
    commands.save_team(as_("wang"), facts=TeamFacts("New"), team_id=made.id)
    with pytest.raises(Conflict):
        facts = TeamFacts("Newer")
        commands.save_team(as_("zhao"), facts=facts, team_id=made.id, version=made.version)


def test_the_other_hospital_has_teams_of_its_own(as_, login):
    made = make_team(as_("wang"), "Life support")
    chen = as_("chen").actor.user_id
    commands.save_competence(as_("wang"), user_id=chen, category_code="VENT")
    assert make_team(as_("qin"), "Life support").id != made.id
    qin = login("qin")
    for page in ("/admin/teams", "/queue", "/api/v1/teams"):
        assert "Chen" not in qin.get(page).get_data(as_text=True)
    assert qin.get(f"/admin/teams/{made.id}").status_code == 404
    assert qin.get(f"/admin/teams/people/{chen}").status_code == 404
    with pytest.raises(NotFound):
        commands.save_team(as_("qin"), facts=TeamFacts("Mine"), team_id=made.id)
    with pytest.raises(NotFound):
        commands.save_competence(as_("qin"), user_id=chen, category_code="VENT")
    assert staff_of(as_("qin")).skills == {}


# Competence --------------------------------------------------------------------------------------


def test_competence_counts_to_its_last_day_and_no_longer(as_):
    chen = as_("chen").actor.user_id
    commands.save_competence(
        as_("wang"), user_id=chen, category_code="VENT", valid_until=date(2026, 11, 23)
    )
    last = staff_of(as_("wang", now=lambda: at("2026-11-23T23:59")))
    assert last.level(chen, "VENT") == (Level.ALONE, False)
    after = staff_of(as_("wang", now=lambda: at("2026-11-24T00:00")))
    assert after.level(chen, "VENT") == (None, True)
    assert after.level(chen, "MON") == (None, False)
    assert after.level(as_("wang").actor.user_id, "VENT") == (None, False)


def test_a_later_record_replaces_the_first_and_can_be_taken_back(as_):
    chen, wang = as_("chen").actor.user_id, as_("wang")
    commands.save_competence(wang, user_id=chen, category_code="VENT", note="Course")
    row = commands.save_competence(
        wang, user_id=chen, category_code="VENT", level=Level.SUPERVISED
    )
    [kept] = as_("wang").session.scalars(select(Competence))
    assert (kept.level, kept.note) == (Level.SUPERVISED, None)
    with pytest.raises(NotFound):
        other = as_("wang").actor.user_id
        commands.remove_competence(wang, user_id=other, competence_id=row.id)
    commands.remove_competence(wang, user_id=chen, competence_id=row.id)
    assert list(as_("wang").session.scalars(select(Competence))) == []


def test_the_best_is_competent_then_of_the_team_then_there_then_free(as_):
    chen, wang, amy = (as_(who).actor.user_id for who in ("chen", "wang", "amy"))
    team = make_team(as_("zhao"), member_ids=[chen, wang])

    def order_of(category="VENT", load=None):
        staff = staff_of(as_("zhao", now=lambda: MONDAY), load)
        return [one.user_id for one in staff.candidates(category, team.id)]

    assert order_of() == [chen, wang, amy]  # amy is of no team
    assert order_of(load={chen: 2}) == [wang, chen, amy]  # who has less to do
    commands.set_day(as_("zhao"), user_id=wang, day=date(2026, 11, 23))
    assert order_of(load={chen: 2}) == [chen, wang, amy]  # who is there
    commands.save_competence(as_("zhao"), user_id=amy, category_code="VENT")
    assert order_of() == [amy, chen, wang]  # who can do it
    assert order_of("MON") == [chen, wang, amy]


def test_the_reason_is_said_in_words(as_):
    chen, ctx = as_("chen").actor.user_id, as_("wang", now=lambda: MONDAY)
    commands.save_competence(as_("wang"), user_id=chen, category_code="VENT")
    team = make_team(as_("wang"), member_ids=[chen])
    best = staff_of(ctx, {chen: 2}).candidates("VENT", team.id)[0]
    assert reasons_for(best, "Asia/Shanghai") == [
        "On duty until 17:00", "Competent: Critical care ventilator", "2 open orders",
    ]  # fmt: skip
    evening = staff_of(as_("wang", now=lambda: at("2026-11-27T18:00")))
    later = evening.candidates("MON", team.id)[0]
    assert reasons_for(later, "Asia/Shanghai") == ["On duty from 30 Nov 08:00", "0 open orders"]


# Rota --------------------------------------------------------------------------------------------

OFFICE = WorkingCalendar("Asia/Shanghai", special={date(2026, 11, 25): False})
NIGHT = PersonRota(OFFICE, {0: (time(20), time(8)), 2: (time(20), time(8))})


@pytest.mark.parametrize(
    ("rota", "when", "is_there"),
    [
        (PersonRota(OFFICE), "2026-11-23T08:00", True),
        (PersonRota(OFFICE), "2026-11-23T17:00", False),
        (PersonRota(OFFICE), "2026-11-25T10:00", False),  # a holiday
        (PersonRota(OFFICE), "2026-11-28T10:00", False),  # a Saturday
        (NIGHT, "2026-11-23T10:00", False),
        (NIGHT, "2026-11-23T22:00", True),
        (NIGHT, "2026-11-24T07:59", True),  # Tuesday morning, begun on Monday
        (NIGHT, "2026-11-24T08:00", False),
        (NIGHT, "2026-11-25T22:00", True),  # shifts of one's own hold on holidays
        (PersonRota(OFFICE, days={date(2026, 11, 23): None}), "2026-11-23T10:00", False),
        (PersonRota(OFFICE, days={date(2026, 11, 28): (time(9), time(12))}),
         "2026-11-28T10:00", True),
    ],
)  # fmt: skip
def test_who_is_on_duty(rota, when, is_there):
    assert (rota.duty_at(at(when)) is not None) is is_there


def test_when_somebody_comes_next():
    assert PersonRota(OFFICE).next_duty(at("2026-11-24T18:00")) == at("2026-11-26T08:00")
    assert NIGHT.next_duty(at("2026-11-24T09:00")) == at("2026-11-25T20:00")
    always_away = {date(2026, 11, 20) + timedelta(days=n): None for n in range(60)}
    assert PersonRota(OFFICE, days=always_away).next_duty(MONDAY) is None


def test_a_night_in_which_the_clocks_change_is_an_hour_longer():
    berlin = WorkingCalendar("Europe/Berlin")
    night = PersonRota(berlin, {5: (time(22), time(6))})
    begins, ends = night.duty_of(date(2026, 10, 24))
    assert ends - begins == timedelta(hours=9)


def test_a_week_is_set_and_taken_back(as_):
    chen, wang = as_("chen").actor.user_id, as_("wang")
    commands.set_week(wang, user_id=chen, week={0: (time(20), time(8)), 6: (time(9), time(12))})
    commands.set_week(wang, user_id=chen, week={0: (time(21), time(8))})
    rota = staff_of(as_("wang")).rotas[chen]
    assert rota.weekly == {0: (time(21), time(8))}
    commands.set_week(wang, user_id=chen, week={})
    assert staff_of(as_("wang", now=lambda: MONDAY)).rotas[chen].duty_at(MONDAY)


def test_the_department_sets_its_hours_and_holidays(as_):
    commands.set_opening_hours(as_("wang"), opens=time(7), closes=time(15), weekdays=[5, 6])
    day = commands.set_special_day(as_("wang"), day=date(2026, 11, 23), is_working=True)
    calendar = calendar_of(as_("wang"))
    assert calendar.hours_of(date(2026, 11, 23)) == (
        at("2026-11-23T07:00"),
        at("2026-11-23T15:00"),
    )
    assert not calendar.is_working(date(2026, 11, 24))
    assert calendar_of(as_("qin")) == WorkingCalendar("Asia/Shanghai")
    commands.clear_special_day(as_("wang"), day_id=day.id)
    assert not calendar_of(as_("wang")).is_working(date(2026, 11, 23))
    for wrong in ({"closes": time(7)}, {"weekdays": []}, {"weekdays": [7]}):
        usual = {"opens": time(8), "closes": time(17), "weekdays": [0]}
        with pytest.raises(Invalid):
            commands.set_opening_hours(as_("wang"), **{**usual, **wrong})
