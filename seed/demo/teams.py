"""The teams of the demo hospital: who works on what, who is there when, which days are free."""

from __future__ import annotations

from datetime import date, time, timedelta

from apm.core.command import Context
from apm.teams.commands import (
    TeamFacts,
    save_competence,
    save_team,
    set_day,
    set_special_day,
    set_week,
)
from apm.teams.model import Level
from seed.demo.diary import Diary
from seed.demo.world import World

LIFE_SUPPORT = ("VENT", "ANES", "HD", "INCU", "DEFIB", "INFP", "SYRP")
IMAGING = ("CT", "MRI", "DR", "US", "CHILLER")
TEAMS = (  # English, Chinese, categories (none: all), members
    ("Life support", "生命支持组", LIFE_SUPPORT, ("chen", "wang")),
    ("Imaging", "影像设备组", IMAGING, ("wang",)),
    ("General", "综合维修组", (), ("chen", "wang")),
)
SKILLS = (  # person, categories, level, valid for days from now (None: no end)
    ("wang", ("VENT", "ANES", "HD", "INCU", "DEFIB", "ESU", "CT", "MRI", "DR"), Level.ALONE, 400),
    ("chen", ("VENT", "HD", "INCU", "ESU"), Level.ALONE, 200),
    ("chen", ("MON", "ECG", "INFP", "SYRP"), Level.ALONE, None),
    ("chen", ("ANES",), Level.SUPERVISED, 90),
    ("chen", ("DEFIB",), Level.ALONE, -20),
)
LATE = (time(11, 30), time(20))
HOLIDAYS = (
    (1, 1, "New Year / 元旦"),
    (5, 1, "Labour Day / 劳动节"),
    (10, 1, "National Day / 国庆节"),
)


def note_teams(world: World, diary: Diary) -> None:
    """Note that the manager set the teams up soon after the program was introduced."""
    zhao = world.people["zhao"].actor
    at = world.began + timedelta(minutes=30)
    diary.note(at, zhao, "team.save", lambda ctx: _teams(ctx, world))
    diary.note(at, zhao, "competence.save", lambda ctx: _skills(ctx, world))
    diary.note(at, zhao, "rota.set_week", lambda ctx: _rota(ctx, world))
    diary.note(at, zhao, "calendar.set_special_day", lambda ctx: _holidays(ctx, world))


def _teams(ctx: Context, world: World) -> None:
    for name, name_zh, categories, members in TEAMS:
        people = [world.people[key].id for key in members]
        lead = world.people["zhao" if not categories else "wang"].id
        facts = TeamFacts(name, name_zh, lead, (), categories, people)
        save_team(ctx, facts=facts)


def _skills(ctx: Context, world: World) -> None:
    for key, categories, level, days in SKILLS:
        until = world.today + timedelta(days=days) if days is not None else None
        for code in categories:
            save_competence(
                ctx,
                user_id=world.people[key].id,
                category_code=code,
                level=level,
                valid_until=until,
                note="厂家培训证书 / Maker's training certificate",
            )


def _rota(ctx: Context, world: World) -> None:
    wang = world.people["wang"].id
    set_week(ctx, user_id=wang, week=dict.fromkeys(range(5), LATE))
    away = world.today + timedelta(days=9)
    set_day(ctx, user_id=world.people["chen"].id, day=away, note="培训 / Training")


def _holidays(ctx: Context, world: World) -> None:
    for year in range(world.began.year, world.today.year + 2):
        for month, day, name in HOLIDAYS:
            set_special_day(ctx, day=date(year, month, day), is_working=False, name=name)
