"""Reading teams, competence and the rota: each table once, whatever the number of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select

from apm.accounts.model import User
from apm.accounts.queries import colleagues, zone_of
from apm.core.clock import local_day
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.permissions import ROLES, Permission, Role
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
from apm.teams.rota import Hours, PersonRota
from apm.teams.routing import Candidate, proposed, team_for
from apm.teams.working_time import WorkingCalendar

ABLE = frozenset(role for role in Role if Permission.WORK_DO in ROLES[role])
"""The roles that do work."""
SEEING = frozenset(role for role in Role if Permission.WORK_READ in ROLES[role])


def workers(ctx: Context) -> list[User]:
    """Return the people who can be given work, by name."""
    return colleagues(ctx, ABLE)


def leads(ctx: Context) -> list[User]:
    """Return the people who can lead a team: who can see its work."""
    return colleagues(ctx, SEEING)


def teams(ctx: Context, *, only_active: bool = False) -> list[Team]:
    """Return the hospital's teams, by name."""
    query = select(Team).order_by(Team.name)
    return list(ctx.session.scalars(query.where(Team.is_active) if only_active else query))


def team_by_id(ctx: Context, team_id: int) -> Team:
    """Return one team, or raise `NotFound`."""
    found = ctx.session.scalar(select(Team).where(Team.id == team_id))
    if found is None:
        raise NotFound(_l("There is no such team. Choose one from the list."))
    return found


def members_of(ctx: Context) -> dict[int, set[int]]:
    """Return the ids of the people of each team, by the team's id."""
    found: dict[int, set[int]] = {}
    for row in ctx.session.scalars(select(Membership)):
        found.setdefault(row.team_id, set()).add(row.user_id)
    return found


def opening_hours(ctx: Context) -> OpeningHours | None:
    """Return the hours somebody has set, None while the usual ones hold."""
    return ctx.session.scalar(select(OpeningHours))


def special_days(ctx: Context, since: date | None = None) -> list[SpecialDay]:
    """Return holidays and worked week-end days, in order."""
    query = select(SpecialDay).order_by(SpecialDay.day)
    return list(ctx.session.scalars(query.where(SpecialDay.day >= since) if since else query))


def calendar_of(ctx: Context) -> WorkingCalendar:
    """Return when the hospital's equipment department works."""
    special = {row.day: row.is_working for row in special_days(ctx)}
    hours = opening_hours(ctx)
    if hours is None:
        return WorkingCalendar(zone_of(ctx), special=special)
    return WorkingCalendar(
        zone_of(ctx), frozenset(hours.weekdays), hours.opens, hours.closes, special
    )


def competences(ctx: Context, *, user_id: int | None = None) -> list[Competence]:
    """Return who may work on what, of one person if given."""
    query = select(Competence).order_by(Competence.category, Competence.user_id)
    if user_id is not None:
        query = query.where(Competence.user_id == user_id)
    return list(ctx.session.scalars(query))


def shifts_of(ctx: Context, user_id: int) -> dict[int, Shift]:
    """Return somebody's own week, by weekday."""
    query = select(Shift).where(Shift.user_id == user_id)
    return {shift.weekday: shift for shift in ctx.session.scalars(query)}


def rota_days_of(ctx: Context, user_id: int, since: date) -> list[RotaDay]:
    """Return somebody's dated days, in order."""
    query = select(RotaDay).where(RotaDay.user_id == user_id, RotaDay.day >= since)
    return list(ctx.session.scalars(query.order_by(RotaDay.day)))


@dataclass(slots=True)
class Staff:
    """Everybody who works and all that is known of them, read once and asked often."""

    people: list[User]
    teams: list[Team]
    members: Mapping[int, set[int]]
    rotas: Mapping[int, PersonRota]
    skills: Mapping[tuple[int, str], Competence]
    calendar: WorkingCalendar
    now: datetime
    load: Mapping[int, int] = field(default_factory=dict)
    """Open orders by person; the feature that knows orders fills it in."""

    @property
    def today(self) -> date:
        """The hospital's present day."""
        return local_day(self.now, self.calendar.zone)

    @property
    def kept_categories(self) -> set[str]:
        """The categories somebody's competence is recorded for: only these are compared with."""
        return {category for _user_id, category in self.skills}

    def team_for(self, category: str | None, department_id: int | None) -> Team | None:
        """Return the team a job belongs to."""
        return team_for(self.teams, category=category, department_id=department_id)

    def level(self, user_id: int, category: str | None) -> tuple[Level | None, bool]:
        """Return what somebody may do on a category today, and whether that has expired."""
        skill = self.skills.get((user_id, category or ""))
        if skill is None:
            return None, False
        has_expired = skill.valid_until is not None and skill.valid_until < self.today
        return (None if has_expired else skill.level), has_expired

    def candidate(self, user: User, category: str | None, team_id: int | None) -> Candidate:
        """Return what speaks for one person."""
        level, has_expired = self.level(user.id, category)
        rota = self.rotas.get(user.id, PersonRota(self.calendar))
        duty = rota.duty_at(self.now)
        return Candidate(
            user_id=user.id,
            name=user.name,
            name_zh=user.name_zh,
            category=category,
            is_member=user.id in self.members.get(team_id or 0, ()),
            duty_until=duty[1] if duty else None,
            next_duty=None if duty else rota.next_duty(self.now),
            level=level,
            has_expired=has_expired,
            open_orders=self.load.get(user.id, 0),
        )

    def candidates(self, category: str | None, team_id: int | None) -> list[Candidate]:
        """Return everybody a job may go to, the best first."""
        return proposed(self.candidate(user, category, team_id) for user in self.people)

    def on_duty(self, team_id: int | None) -> list[Candidate]:
        """Return the people of a team (None: all people) who are there now, by name."""
        found = [self.candidate(user, None, team_id) for user in self.people]
        return [one for one in found if one.duty_until and (one.is_member or team_id is None)]


def staff_of(ctx: Context, load: Mapping[int, int] | None = None) -> Staff:
    """Read everything about the people who work: eight statements, however many they are."""
    calendar, now = calendar_of(ctx), ctx.now()
    people = workers(ctx)
    weekly: dict[int, dict[int, Hours]] = {}
    for shift in ctx.session.scalars(select(Shift)):
        weekly.setdefault(shift.user_id, {})[shift.weekday] = (shift.starts, shift.ends)
    dated: dict[int, dict[date, Hours | None]] = {}
    for row in _days_around(ctx, local_day(now, calendar.zone)):
        hours = (row.starts, row.ends) if row.starts and row.ends else None
        dated.setdefault(row.user_id, {})[row.day] = hours
    return Staff(
        people=people,
        teams=teams(ctx, only_active=True),
        members=members_of(ctx),
        rotas={
            user.id: PersonRota(calendar, weekly.get(user.id, {}), dated.get(user.id, {}))
            for user in people
        },
        skills={(row.user_id, row.category): row for row in competences(ctx)},
        calendar=calendar,
        now=now,
        load=load or {},
    )


def _days_around(ctx: Context, today: date) -> Sequence[RotaDay]:
    first = date.fromordinal(today.toordinal() - 1)  # a night shift that began yesterday
    return ctx.session.scalars(select(RotaDay).where(RotaDay.day >= first)).all()
