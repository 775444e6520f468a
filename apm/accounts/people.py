"""Who did something, in words: records keep an e-mail address, a token's name, or a job's."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from apm.accounts.model import Grant, User
from apm.core.command import Context
from apm.core.i18n import _, choose


def names_by_record(ctx: Context) -> dict[str, str]:
    """Return the names of the hospital's people in the language spoken, by what records keep.

    That is the e-mail address, or the name as it was written where no other person has the same.
    """
    query = (
        select(User.email, User.name, User.name_zh)
        .join(Grant, Grant.user_id == User.id)
        .where(Grant.hospital_id == ctx.actor.hospital_id)
    )
    people = ctx.session.execute(query).all()
    often = Counter(person.name for person in people)
    by_name = {p.name: choose(p.name, p.name_zh) for p in people if often[p.name] == 1}
    return by_name | {p.email: choose(p.name, p.name_zh) for p in people}


def automatic_name(recorded: str) -> str | None:
    """Return words for what no signed-in person did; None for people."""
    if recorded == "system" or recorded.startswith("job:"):
        return _("apm, automatically")
    if recorded.startswith("token:"):
        return _("Device token %(name)s", name=recorded.removeprefix("token:"))
    if recorded == "visitor":
        return _("Somebody without a login")
    return None
