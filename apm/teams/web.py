"""Pages of teams: who works on what, who is there when, and when the department works."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields

from apm.accounts.queries import hospital_day
from apm.assets.categories import all_categories
from apm.assets.queries import departments
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.teams import commands, queries, schema
from apm.teams.wording import category_name

web = Blueprint("teams", __name__)
EDIT = Permission.TEAM_EDIT


@web.app_context_processor
def _words() -> dict[str, object]:
    """Give templates the words that only teams know."""
    return {"category_name": category_name}


@web.get("/admin/teams")
@requires(EDIT)
def team_list() -> ResponseReturnValue:
    """Teams and people, with who is there now."""
    ctx = context()
    staff = queries.staff_of(ctx)
    kept: dict[int, int] = {}
    expired: dict[int, int] = {}
    for user_id, category in staff.skills:
        kept[user_id] = kept.get(user_id, 0) + 1
        expired[user_id] = expired.get(user_id, 0) + staff.level(user_id, category)[1]
    return render_template(
        "teams/teams.html",
        teams=queries.teams(ctx),
        staff=staff,
        names={user.id: user for user in queries.leads(ctx)},
        places={d.id: d for d in departments(ctx)},
        people=[(user, staff.candidate(user, None, None)) for user in staff.people],
        kept=kept,
        expired=expired,
    )


@web.route("/admin/teams/new", methods=["GET", "POST"])
@requires(EDIT)
def new_team() -> ResponseReturnValue:
    """A team to make."""
    return _team(None)


@web.route("/admin/teams/<int:team_id>", methods=["GET", "POST"])
@requires(EDIT)
def team(team_id: int) -> ResponseReturnValue:
    """A team to change."""
    return _team(team_id)


def _team(team_id: int | None) -> ResponseReturnValue:
    form = None
    if request.method == "POST":
        form = load_lists(schema.TeamForm())
        if form.data is not None:
            form = _try(form, lambda data: _save(team_id, data))
            if form is None:
                flash(_("Saved."), "success")
                return redirect(url_for("teams.team_list"), 303)
    ctx = context()
    page = render_template(
        "teams/team.html",
        form=form,
        team=queries.team_by_id(ctx, team_id) if team_id is not None else None,
        members=queries.members_of(ctx).get(team_id or 0, set()),
        people=queries.workers(ctx),
        leads=queries.leads(ctx),
        departments=departments(ctx),
        categories=all_categories(),
    )
    return page, 422 if form else 200


def _save(team_id: int | None, data: dict[str, Any]) -> None:
    facts = commands.TeamFacts(
        name=data["name"],
        name_zh=data["name_zh"],
        lead_id=data["lead"],
        department_ids=data["departments"],
        categories=data["categories"],
        member_ids=data["members"],
        is_active=data["is_active"],
        gives_work_out=data["gives_work_out"],
    )
    commands.save_team(context(), facts=facts, team_id=team_id, version=data["version"])


@web.get("/admin/teams/people/<int:user_id>")
@requires(EDIT)
def person(user_id: int) -> ResponseReturnValue:
    """One person: what they may work on, and when they are there."""
    return _person(user_id)


def _person(user_id: int, form: Form | None = None) -> ResponseReturnValue:
    ctx = context()
    people = {user.id: user for user in queries.workers(ctx)}
    if user_id not in people:
        raise NotFound(_l("No such person in your hospital. Choose one from the list."))
    staff = queries.staff_of(ctx)
    page = render_template(
        "teams/person.html",
        form=form,
        part=form.typed.get("part") if form else None,
        user=people[user_id],
        now=staff.candidate(people[user_id], None, None),
        skills=queries.competences(ctx, user_id=user_id),
        shifts=queries.shifts_of(ctx, user_id),
        days=queries.rota_days_of(ctx, user_id, staff.today),
        today=staff.today,
        categories=all_categories(),
        calendar=staff.calendar,
    )
    return page, 422 if form else 200


@web.post("/admin/teams/people/<int:user_id>/competences")
@requires(EDIT)
def add_competence(user_id: int) -> ResponseReturnValue:
    """Record what somebody may work on."""

    def save(data: dict[str, Any]) -> None:
        code = data.pop("category")
        commands.save_competence(context(), user_id=user_id, category_code=code, **data)

    return _change(user_id, schema.CompetenceForm(), save)


@web.post("/admin/teams/people/<int:user_id>/competences/<int:row_id>/remove")
@requires(EDIT)
def remove_competence(user_id: int, row_id: int) -> ResponseReturnValue:
    """Take a record of competence back."""
    commands.remove_competence(context(), user_id=user_id, competence_id=row_id)
    return _saved(user_id)


@web.post("/admin/teams/people/<int:user_id>/week")
@requires(EDIT)
def set_week(user_id: int) -> ResponseReturnValue:
    """Set somebody's own week."""
    return _change(
        user_id,
        schema.WEEK(),
        lambda data: commands.set_week(context(), user_id=user_id, week=data),
    )


@web.post("/admin/teams/people/<int:user_id>/days")
@requires(EDIT)
def set_day(user_id: int) -> ResponseReturnValue:
    """Set one day that differs."""

    def save(data: dict[str, Any]) -> None:
        hours = (data["starts"], data["ends"]) if data["starts"] else None
        commands.set_day(
            context(), user_id=user_id, day=data["day"], hours=hours, note=data["remark"]
        )

    return _change(user_id, schema.DayForm(), save)


@web.post("/admin/teams/people/<int:user_id>/days/<int:row_id>/remove")
@requires(EDIT)
def clear_day(user_id: int, row_id: int) -> ResponseReturnValue:
    """Let the week hold on a day again."""
    commands.clear_day(context(), user_id=user_id, day_id=row_id)
    return _saved(user_id)


@web.route("/admin/working-hours", methods=["GET", "POST"])
@requires(EDIT)
def working_hours() -> ResponseReturnValue:
    """When the department works, and the days that differ."""
    if request.method != "POST":
        return _hours(None)
    form = load_lists(schema.HoursForm())
    if form.data is not None:
        left = _try(form, lambda data: commands.set_opening_hours(context(), **data))
        if left is None:
            flash(_("Saved."), "success")
            return redirect(url_for("teams.working_hours"), 303)
        form = left
    return _hours(form)


def _hours(form: Form | None) -> ResponseReturnValue:
    ctx = context()
    page = render_template(
        "teams/hours.html",
        form=form,
        part=form.typed.get("part") if form else None,
        calendar=queries.calendar_of(ctx),
        days=queries.special_days(ctx, hospital_day(ctx)),
    )
    return page, 422 if form else 200


@web.post("/admin/working-hours/days")
@requires(EDIT)
def set_special_day() -> ResponseReturnValue:
    """Say that a day is a holiday, or is worked."""
    form = load(schema.SpecialDayForm(), request.form)
    if form.data is None:
        return _hours(form)
    day, name = form.data["day"], form.data["name"]
    is_working = form.data["kind"] == "worked"
    commands.set_special_day(context(), day=day, is_working=is_working, name=name)
    flash(_("Saved."), "success")
    return redirect(url_for("teams.working_hours"), 303)


@web.post("/admin/working-hours/days/<int:row_id>/remove")
@requires(EDIT)
def clear_special_day(row_id: int) -> ResponseReturnValue:
    """Let the ordinary week hold again."""
    commands.clear_special_day(context(), day_id=row_id)
    flash(_("Saved."), "success")
    return redirect(url_for("teams.working_hours"), 303)


def load_lists(wanted: Schema) -> Form:
    """Validate the submitted form; fields that hold a list take all their checked boxes."""
    typed = request.form
    found: dict[str, Any] = {}
    for name, field in wanted.fields.items():
        if isinstance(field, fields.List):
            found[name] = [value for value in typed.getlist(name) if value]
        elif typed.get(name):
            found[name] = typed[name]
    try:
        return Form(wanted.load(found), {}, typed)
    except ValidationError as error:
        return Form(None, {k: _flat(v) for k, v in error.messages_dict.items()}, typed)


def _flat(found: Any) -> list[str]:
    if isinstance(found, dict):  # of a list: by the number of the item
        return [text for each in found.values() for text in _flat(each)]
    return [str(text) for text in found]


def _try(form: Form, save: Any) -> Form | None:
    """Do it; return the form with what was wrong, None when nothing was."""
    try:
        save(form.data)
    except Invalid as error:
        errors = {k: [str(text) for text in texts] for k, texts in error.fields.items()}
        return Form(None, errors or {"_schema": [str(error)]}, form.typed)
    except Conflict as error:
        return Form(None, {"_schema": [str(error)]}, form.typed)
    return None


def _change(user_id: int, wanted: Schema, save: Any) -> ResponseReturnValue:
    form = load(wanted, request.form)
    if form.data is None:
        return _person(user_id, form)
    if left := _try(form, save):
        return _person(user_id, left)
    return _saved(user_id)


def _saved(user_id: int) -> ResponseReturnValue:
    flash(_("Saved."), "success")
    return redirect(url_for("teams.person", user_id=user_id), 303)
