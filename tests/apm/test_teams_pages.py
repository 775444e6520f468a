"""Teams, rota, hours and promises by the pages' forms: what is saved, what is refused and said."""

from datetime import date, time

import pytest
from sqlalchemy import select

from apm.teams.model import Competence, RotaDay, Shift, SpecialDay, Team
from apm.teams.queries import calendar_of, members_of
from apm.work.clock_model import Runs, Unit
from apm.work.service_levels import Promise, Target, promises
from apm.work.states import Priority
from tests.apm.hospital import make_asset


@pytest.fixture
def wang(login):
    return login("wang")


@pytest.fixture
def chen_page(as_):
    return f"/admin/teams/people/{as_('chen').actor.user_id}"


def rows(as_, model):
    return list(as_("wang").session.scalars(select(model)))


def test_a_team_is_made_with_ticks_and_changed(wang, as_):
    chen, amy = as_("chen").actor.user_id, as_("amy").actor.user_id
    said = {"name": "Imaging", "name_zh": "影像组", "lead": chen, "members": [chen, amy],
            "categories": ["CT", "MRI"], "is_active": "true"}  # fmt: skip
    assert wang.post("/admin/teams/new", data=said).status_code == 303
    [team] = rows(as_, Team)
    assert (team.categories, members_of(as_("wang"))) == (["CT", "MRI"], {team.id: {chen, amy}})
    page = wang.get(f"/admin/teams/{team.id}").get_data(as_text=True)
    assert page.count(" checked") == 5
    said = {"name": "Imaging", "version": team.version, "gives_work_out": "true"}
    assert wang.post(f"/admin/teams/{team.id}", data=said).status_code == 303
    [team] = rows(as_, Team)
    assert (team.categories, team.is_active, team.gives_work_out) == ([], False, True)
    answer = wang.post(f"/admin/teams/{team.id}", data={"name": "Late", "version": 1})
    assert (answer.status_code, "Somebody else changed" in answer.text) == (422, True)


@pytest.mark.parametrize(
    "said",
    [{}, {"name": "x" * 81}, {"name": "T", "lead": "9" * 30}, {"name": "T", "members": ["x"]},
     {"name": "T", "categories": ["NONE"]}, {"name": "T", "departments": ["9"]}],
    ids=str,
)  # fmt: skip
def test_a_wrong_team_is_shown_again_with_what_is_wrong(wang, as_, said):
    make_asset(as_("wang"), department="Ward")
    answer = wang.post("/admin/teams/new", data=said)
    assert (answer.status_code, rows(as_, Team)) == (422, [])
    assert 'class="error"' in answer.text


def test_competence_is_added_and_removed(wang, as_, chen_page):
    said = {
        "part": "skill",
        "category": "VENT",
        "level": "supervised",
        "valid_until": "2027-01-31",
    }
    assert wang.post(f"{chen_page}/competences", data=said).status_code == 303
    [row] = rows(as_, Competence)
    assert (row.level, row.valid_until) == ("supervised", date(2027, 1, 31))
    assert "Under supervision" in wang.get(chen_page).text
    assert wang.post(f"{chen_page}/competences", data={**said, "category": "?"}).status_code == 422
    assert wang.post(f"{chen_page}/competences/{row.id}/remove").status_code == 303
    assert wang.post(f"{chen_page}/competences/{row.id}/remove").status_code == 404


def test_a_week_needs_both_ends_of_each_shift(wang, as_, chen_page):
    said = {"part": "week", "from_0": "20:00", "to_0": "08:00", "from_6": "09:00", "to_6": "12:30"}
    assert wang.post(f"{chen_page}/week", data=said).status_code == 303
    assert {(s.weekday, s.starts, s.ends) for s in rows(as_, Shift)} == {
        (0, time(20), time(8)), (6, time(9), time(12, 30)),
    }  # fmt: skip
    for wrong in ({"to_0": ""}, {"to_0": "20:00"}, {"to_0": "25:00"}, {"to_0": "08:00+02:00"}):
        answer = wang.post(f"{chen_page}/week", data={**said, **wrong})
        assert (answer.status_code, 'class="error"' in answer.text) == (422, True)
    assert len(rows(as_, Shift)) == 2


def test_a_day_differs_and_then_no_more(wang, as_, chen_page):
    absent = {"part": "day", "day": "2099-12-01", "remark": "Training"}
    assert wang.post(f"{chen_page}/days", data=absent).status_code == 303
    assert "Training" in wang.get(chen_page).text
    [row] = rows(as_, RotaDay)
    assert (row.starts, row.note) == (None, "Training")
    assert wang.post(f"{chen_page}/days", data={**absent, "starts": "09:00"}).status_code == 422
    there = {**absent, "starts": "09:00", "ends": "12:00"}
    assert wang.post(f"{chen_page}/days", data=there).status_code == 303
    [row] = rows(as_, RotaDay)
    assert row.starts == time(9)
    wang.post(f"{chen_page}/days/{row.id}/remove")
    assert rows(as_, RotaDay) == []


def test_hours_and_holidays(wang, as_):
    said = {"part": "hours", "opens": "07:30", "closes": "16:00", "weekdays": ["0", "5"]}
    assert wang.post("/admin/working-hours", data=said).status_code == 303
    assert calendar_of(as_("wang")).weekdays == {0, 5}
    for wrong in ({"closes": "07:00"}, {"weekdays": []}, {"weekdays": ["8"]}, {"opens": ""}):
        assert wang.post("/admin/working-hours", data={**said, **wrong}).status_code == 422
    day = {"part": "special", "day": "2099-10-01", "kind": "off", "name": "National Day"}
    assert wang.post("/admin/working-hours/days", data=day).status_code == 303
    assert "National Day" in wang.get("/admin/working-hours").text
    assert wang.post("/admin/working-hours/days", data={**day, "kind": "?"}).status_code == 422
    [row] = rows(as_, SpecialDay)
    wang.post(f"/admin/working-hours/days/{row.id}/remove")
    assert rows(as_, SpecialDay) == []


def test_promises_are_changed_one_by_one(wang, as_):
    said = {"runs": "working", "respond": "2", "respond_unit": "hours", "resolve": "5",
            "resolve_unit": "days"}  # fmt: skip
    assert wang.post("/admin/service-levels/high", data=said).status_code == 303
    assert promises(as_("wang"))[Priority.HIGH] == Promise(
        Priority.HIGH, Runs.WORKING, Target(2, Unit.HOURS), Target(5, Unit.DAYS)
    )
    page = wang.get("/admin/service-levels").text
    assert "2 working hours" in page
    assert "5 working days" in page
    for wrong in ({"respond": "0"}, {"resolve_unit": "years"}, {"resolve": "1",
                  "resolve_unit": "hours"}):  # fmt: skip
        answer = wang.post("/admin/service-levels/high", data={**said, **wrong})
        assert (answer.status_code, 'class="error"' in answer.text) == (422, True)
    assert wang.post("/admin/service-levels/soon", data=said).status_code == 404


def test_technicians_see_the_queue_and_change_no_teams(login, chen_page):
    chen = login("chen")
    assert chen.get("/queue").status_code == 200
    for page in ("/admin/teams", chen_page, "/admin/working-hours", "/admin/service-levels"):
        assert chen.get(page).status_code == 403
