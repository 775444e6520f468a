"""Builds the demo hospital in a fresh database, from its first day to now."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import event
from sqlalchemy.orm import sessionmaker

from apm.accounts.commands import add_hospital, add_user
from apm.accounts.model import Hospital
from apm.accounts.queries import system_actor, visitor
from apm.core.command import Actor, Context
from apm.core.db import ApmSession
from apm.core.permissions import ROLES, Role
from apm.demo.desk import Login
from seed.demo.causes import note_causes
from seed.demo.counting import note_counting
from seed.demo.diary import Diary
from seed.demo.drafts import note_drafts
from seed.demo.environment import note_environment
from seed.demo.failures import note_failures
from seed.demo.fleet import furnish
from seed.demo.foreseeing import note_foreseeing
from seed.demo.metering import note_metering
from seed.demo.metrology import note_metrology
from seed.demo.parts import note_parts
from seed.demo.recalls import note_recalls
from seed.demo.scenery import hospital
from seed.demo.sensing import note_sensing
from seed.demo.signs import note_signs
from seed.demo.teams import note_teams
from seed.demo.today import note_today, reserve
from seed.demo.upkeep import note_sweeps, note_upkeep
from seed.demo.world import YEARS, Person, World

PASSWORD_BYTES = 6


@dataclass(slots=True)
class Building:
    """A hospital in the making; go through `steps()` to the end."""

    logins: list[Login]
    world: World
    diary: Diary
    session: ApmSession

    @property
    def total(self) -> int:
        """How many deeds there are to do."""
        return len(self.diary.deeds)

    def steps(self) -> Iterator[int]:
        """Do the deeds, and yield how many were done with each step."""
        yield from self.diary.replay(self.session, self.world.system)


def begin(sessions: sessionmaker[ApmSession], *, now: datetime) -> Building:
    """Make hospital and people, and plan everything else; the database is fresh and migrated."""
    session = sessions()
    _keep_all(session)
    opened = now - timedelta(days=365 * YEARS, hours=2)
    made = _hospital(session, opened)
    logins, people = _people(session, made.id, opened)
    world = World(
        now=now,
        people=people,
        system=system_actor(made.id, "system"),
        visitor=visitor(made.id),
    )
    diary = Diary()
    furnish(world, diary)
    note_teams(world, diary)
    chosen = reserve(world)
    note_counting(world, diary)
    note_drafts(world, diary)
    note_failures(world, diary)
    plans = note_upkeep(world, diary)
    note_sweeps(world, diary, plans)
    note_sensing(world, diary)
    note_environment(world, diary)
    note_today(world, diary, chosen, plans)
    note_parts(world, diary)
    note_metrology(world, diary)
    note_metering(world, diary)
    note_causes(world, diary)
    note_recalls(world, diary)
    note_foreseeing(world, diary)
    note_signs(world, diary)
    return Building(logins, world, diary, session)


def _keep_all(session: ApmSession) -> None:
    """Hold on to every row once seen: the session alone forgets what nobody holds, and reads anew.

    The same few (the hospital, a plan, an asset) are asked for by thousands of deeds.
    """
    held: list[object] = []
    for came in ("loaded_as_persistent", "pending_to_persistent"):
        event.listen(session, came, lambda _session, row: held.append(row))


def _hospital(session: ApmSession, now: datetime) -> Hospital:
    plain = hospital()["hospital"]
    top = Context(session, system_actor(None, "system"), lambda: now)
    with top.writing("demo.hospital"):
        made = add_hospital(top, **plain)
        made.is_demo = True
    return made


def _people(
    session: ApmSession, hospital_id: int, now: datetime
) -> tuple[list[Login], dict[str, Person]]:
    ctx = Context(session, system_actor(hospital_id, "system"), lambda: now)
    logins, people = [], {}
    for entry in hospital()["people"]:
        role, password = Role(entry["role"]), secrets.token_urlsafe(PASSWORD_BYTES)
        user = add_user(
            ctx,
            email=f"{entry['key']}@demo.apm",
            name=entry["name"],
            name_zh=entry["name_zh"],
            role=role,
            password=password,
        )
        actor = Actor(user.email, hospital_id, ROLES[role], user.id, None)
        logins.append(Login(user.email, password, role.value, user.name, user.name_zh or ""))
        people[entry["key"]] = Person(entry["key"], role, user.name, user.name_zh or "", actor)
    return logins, people
