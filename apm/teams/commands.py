"""Changing teams, competence, the rota and the working calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar

from sqlalchemy import select

from apm.assets.categories import all_categories, category
from apm.assets.queries import departments
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.teams.model import (
    Competence,
    Level,
    Membership,
    OpeningHours,
    RotaDay,
    Shift,
    SpecialDay,
    Team,
)
from apm.teams.queries import leads, opening_hours, shifts_of, team_by_id, workers
from apm.teams.rota import Hours

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """What a team is."""

    name: str
    name_zh: str | None = None
    lead_id: int | None = None
    department_ids: Sequence[int] = ()
    categories: Sequence[str] = ()
    member_ids: Sequence[int] = ()
    is_active: bool = True
    gives_work_out: bool = False


@command("team.save", Permission.TEAM_EDIT)
def save_team(
    ctx: Context, *, facts: TeamFacts, team_id: int | None = None, version: int | None = None
) -> Team:
    """Make a team, or change one.

    Raises:
        NotFound: no such team.
        Conflict: changed since `version`.
        Invalid: the name is taken; a person, a department or a category that is not here.
    """
    team = team_by_id(ctx, team_id) if team_id is not None else Team()
    if version is not None and team.version != version:
        raise Conflict(_l("Somebody else changed this first. Reload and try again."))
    name = facts.name.strip()
    _refuse_taken(ctx, name, team.id)
    people = {user.id for user in workers(ctx)}
    _known("lead", [facts.lead_id] if facts.lead_id else [], {user.id for user in leads(ctx)})
    _known("members", facts.member_ids, people)
    _known("departments", facts.department_ids, {d.id for d in departments(ctx)})
    _known("categories", facts.categories, {c.code for c in all_categories()})
    team.name, team.name_zh = name, facts.name_zh
    team.lead_id, team.is_active = facts.lead_id, facts.is_active
    team.gives_work_out = facts.gives_work_out
    team.department_ids = sorted(set(facts.department_ids))
    team.categories = sorted(set(facts.categories))
    ctx.session.add(team)
    ctx.session.flush()  # memberships need its id
    _set_members(ctx, team, set(facts.member_ids))
    return team


def _refuse_taken(ctx: Context, name: str, own_id: int | None) -> None:
    taken = ctx.session.scalar(select(Team.id).where(Team.name == name))
    if taken is not None and taken != own_id:
        message = _l("Another team has this name.")
        raise Invalid(message, fields={"name": [message]})


def _known(field: str, wanted: Sequence[T], there: set[T]) -> None:
    if not set(wanted) <= there:
        message = _l("Choose from the list.")
        raise Invalid(message, fields={field: [message]})


def _set_members(ctx: Context, team: Team, wanted: set[int]) -> None:
    rows = list(ctx.session.scalars(select(Membership).where(Membership.team_id == team.id)))
    for row in rows:
        if row.user_id not in wanted:
            ctx.session.delete(row)
    have = {row.user_id for row in rows}
    ctx.session.add_all(Membership(team_id=team.id, user_id=i) for i in sorted(wanted - have))


@command("competence.save", Permission.TEAM_EDIT)
def save_competence(
    ctx: Context,
    *,
    user_id: int,
    category_code: str,
    level: Level = Level.ALONE,
    valid_until: date | None = None,
    note: str | None = None,
) -> Competence:
    """Record what somebody may work on; a later record of the same category replaces it."""
    _person(ctx, user_id)
    code = category(category_code).code
    query = select(Competence).where(Competence.user_id == user_id, Competence.category == code)
    row = ctx.session.scalar(query) or Competence(user_id=user_id, category=code)
    row.level, row.valid_until, row.note = level, valid_until, note
    ctx.session.add(row)
    return row


@command("competence.remove", Permission.TEAM_EDIT)
def remove_competence(ctx: Context, *, user_id: int, competence_id: int) -> None:
    """Take a record of competence back; the trail keeps it."""
    query = select(Competence).where(Competence.id == competence_id, Competence.user_id == user_id)
    _remove(ctx, ctx.session.scalar(query))


@command("rota.set_week", Permission.TEAM_EDIT)
def set_week(ctx: Context, *, user_id: int, week: Mapping[int, Hours]) -> None:
    """Set somebody's own week; without any shift they work when the department does."""
    _person(ctx, user_id)
    have = shifts_of(ctx, user_id)
    for weekday in range(7):
        hours, shift = week.get(weekday), have.get(weekday)
        if hours is None:
            if shift:
                ctx.session.delete(shift)
            continue
        shift = shift or Shift(user_id=user_id, weekday=weekday)
        shift.starts, shift.ends = hours
        ctx.session.add(shift)


@command("rota.set_day", Permission.TEAM_EDIT)
def set_day(
    ctx: Context, *, user_id: int, day: date, hours: Hours | None = None, note: str | None = None
) -> RotaDay:
    """Set other hours for one day; without hours they are absent."""
    _person(ctx, user_id)
    query = select(RotaDay).where(RotaDay.user_id == user_id, RotaDay.day == day)
    row = ctx.session.scalar(query) or RotaDay(user_id=user_id, day=day)
    row.starts, row.ends = hours or (None, None)
    row.note = note
    ctx.session.add(row)
    return row


@command("rota.clear_day", Permission.TEAM_EDIT)
def clear_day(ctx: Context, *, user_id: int, day_id: int) -> None:
    """Let somebody's week hold on a day again."""
    query = select(RotaDay).where(RotaDay.id == day_id, RotaDay.user_id == user_id)
    _remove(ctx, ctx.session.scalar(query))


@command("calendar.set_hours", Permission.TEAM_EDIT)
def set_opening_hours(
    ctx: Context, *, opens: time, closes: time, weekdays: Sequence[int]
) -> OpeningHours:
    """Set when the department works; clocks that run in working hours follow from now on."""
    if closes <= opens:
        message = _l("The end must be after the beginning.")
        raise Invalid(message, fields={"closes": [message]})
    days = sorted(set(weekdays))
    if not days or not set(days) <= set(range(7)):
        message = _l("Choose at least one day.")
        raise Invalid(message, fields={"weekdays": [message]})
    row = opening_hours(ctx) or OpeningHours()
    row.opens, row.closes, row.weekdays = opens, closes, days
    ctx.session.add(row)
    return row


@command("calendar.set_special_day", Permission.TEAM_EDIT)
def set_special_day(
    ctx: Context, *, day: date, is_working: bool, name: str | None = None
) -> SpecialDay:
    """Say that a day is a holiday, or that a day of the week-end is worked."""
    query = select(SpecialDay).where(SpecialDay.day == day)
    row = ctx.session.scalar(query) or SpecialDay(day=day)
    row.is_working, row.name = is_working, name
    ctx.session.add(row)
    return row


@command("calendar.clear_special_day", Permission.TEAM_EDIT)
def clear_special_day(ctx: Context, *, day_id: int) -> None:
    """Let the ordinary week hold on a day again."""
    _remove(ctx, ctx.session.scalar(select(SpecialDay).where(SpecialDay.id == day_id)))


def _person(ctx: Context, user_id: int) -> None:
    if user_id not in {user.id for user in workers(ctx)}:
        raise NotFound(_l("No such person in your hospital. Choose one from the list."))


def _remove(ctx: Context, row: object | None) -> None:
    if row is None:
        raise NotFound(_l("That entry is gone already. Reload the page."))
    ctx.session.delete(row)
