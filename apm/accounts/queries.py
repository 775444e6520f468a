"""Who somebody is: read before there is an actor, so each query names what it may see."""

from __future__ import annotations

from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import joinedload

from apm.accounts.model import ApiToken, Grant, Hospital, SignInSession, User
from apm.core.clock import local_day
from apm.core.codes import token_digest
from apm.core.command import Actor, Context
from apm.core.db import ApmSession
from apm.core.errors import NotFound
from apm.core.i18n import _l, choose
from apm.core.permissions import ROLES, SYSTEM, VISITOR, Role

_TOKEN = cast(Table, ApiToken.__table__)
# On the table: each request of a program asks it, and a class costs thrice as much.
_BY_HASH = select(_TOKEN.c.name, _TOKEN.c.hospital_id, _TOKEN.c.role, _TOKEN.c.revoked_at).where(
    _TOKEN.c.token_hash == bindparam("digest")
)


def hospital_by_code(session: ApmSession, code: str) -> Hospital:
    """Return a hospital, or raise `NotFound`."""
    hospital = session.scalar(select(Hospital).where(Hospital.code == code.upper()))
    if hospital is None:
        raise NotFound(
            _l("There is no hospital %(code)s. Add it with: apm hospital add."), code=code
        )
    return hospital


def own_hospital(ctx: Context) -> Hospital | None:
    """Return the hospital the actor belongs to, None for nobody and for the system."""
    return ctx.session.get(Hospital, ctx.actor.hospital_id) if ctx.actor.hospital_id else None


def zone_of(ctx: Context) -> str:
    """Return the time zone of the actor's hospital, UTC without one."""
    hospital = own_hospital(ctx)
    return hospital.timezone if hospital else "UTC"


def hospital_day(ctx: Context) -> date:
    """Return the day it is in the actor's hospital."""
    return local_day(ctx.now(), zone_of(ctx))


def hospitals(session: ApmSession) -> list[Hospital]:
    """Return all hospitals, for the worker and the command line."""
    return list(session.scalars(select(Hospital).order_by(Hospital.id)))


def system_actor(hospital_id: int | None, name: str = "system") -> Actor:
    """Return the program itself, acting for one hospital (None: for all)."""
    return Actor(name, hospital_id, SYSTEM)


def visitor(hospital_id: int) -> Actor:
    """Return somebody without a login who holds a label or a link of this hospital."""
    return Actor("visitor", hospital_id, VISITOR)


def actor_of(grant: Grant) -> Actor:
    """Return what a person may do by `grant` (its user loaded)."""
    user = grant.user
    return Actor(user.email, grant.hospital_id, ROLES[grant.role], user.id, user.language)


def session_by_token(session: ApmSession, token: str, now: datetime) -> SignInSession | None:
    """Return the live sign-in this cookie belongs to."""
    query = (
        select(SignInSession)
        .where(SignInSession.token_hash == token_digest(token))
        .options(joinedload(SignInSession.grant).joinedload(Grant.user))
    )
    found = session.scalar(query)
    if found is None or found.revoked_at or found.expires_at <= now:
        return None
    return found if is_valid(found.grant, now) else None


def is_valid(grant: Grant, now: datetime) -> bool:
    """Tell whether a grant (its user loaded) still counts."""
    return grant.user.is_active and (grant.expires_at is None or grant.expires_at > now)


def actor_by_api_token(session: ApmSession, token: str) -> Actor | None:
    """Return the program that holds this API token."""
    connection = session.connection()
    found = connection.execute(_BY_HASH, {"digest": token_digest(token)}).first()
    if found is None or found.revoked_at:
        return None
    return Actor(f"token:{found.name}", found.hospital_id, ROLES[found.role])


def user_by_email(session: ApmSession, email: str) -> User | None:
    """Return a person by address, whatever the case."""
    query = select(User).where(User.email == email.strip().lower())
    return session.scalar(query)


def grants_of(session: ApmSession, user_id: int, now: datetime) -> list[Grant]:
    """Return a person's valid roles, oldest first."""
    query = (
        select(Grant)
        .where(Grant.user_id == user_id)
        .options(joinedload(Grant.user), joinedload(Grant.hospital))
        .order_by(Grant.id)
    )
    return [grant for grant in session.scalars(query) if is_valid(grant, now)]


def colleagues(ctx: Context, roles: frozenset[Role] | None = None) -> list[User]:
    """Return the active people of the actor's hospital, with these roles if given."""
    query = (
        select(User)
        .join(Grant)
        .where(Grant.hospital_id == ctx.actor.hospital_id, User.is_active)
        .order_by(User.name, User.id)
    )
    if roles is not None:
        query = query.where(Grant.role.in_(roles))
    return list(ctx.session.scalars(query))


def colleague(ctx: Context, user_id: int) -> User:
    """Return one person of the actor's hospital, or raise `NotFound`."""
    for user in colleagues(ctx):
        if user.id == user_id:
            return user
    raise NotFound(_l("No such person in your hospital. Choose one from the list."))


def roles_in(ctx: Context, user_id: int) -> Role | None:
    """Return a person's role in the actor's hospital."""
    query = select(Grant.role).where(
        Grant.user_id == user_id, Grant.hospital_id == ctx.actor.hospital_id
    )
    return ctx.session.scalar(query)


def sessions_in_hospital(
    ctx: Context, *, user_id: int | None = None, now: datetime
) -> list[SignInSession]:
    """Return live sign-ins in the actor's hospital, of one person if given, newest first."""
    query = (
        select(SignInSession)
        .join(Grant)
        .where(
            Grant.hospital_id == ctx.actor.hospital_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.expires_at > now,
        )
        .options(joinedload(SignInSession.grant).joinedload(Grant.user))
        .order_by(SignInSession.last_seen_at.desc())
        .limit(200)
    )
    if user_id is not None:
        query = query.where(Grant.user_id == user_id)
    return list(ctx.session.scalars(query))


def sessions_of(session: ApmSession, user_id: int, now: datetime) -> list[SignInSession]:
    """Return every live sign-in of a person, in whichever hospital."""
    query = (
        select(SignInSession)
        .join(Grant)
        .where(
            Grant.user_id == user_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.expires_at > now,
        )
    )
    return list(session.scalars(query))


def api_tokens(ctx: Context) -> list[ApiToken]:
    """Return the hospital's API tokens, newest first."""
    query = (
        select(ApiToken)
        .where(ApiToken.hospital_id == ctx.actor.hospital_id)
        .order_by(ApiToken.id.desc())
        .limit(200)
    )
    return list(ctx.session.scalars(query))


def shown_name(user: User) -> str:
    """Return a person's name in the language spoken."""
    return choose(user.name, user.name_zh)
