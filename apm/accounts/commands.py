"""What is done with accounts."""

from __future__ import annotations

from datetime import timedelta

from apm.accounts.model import ApiToken, Grant, Hospital, SignInSession, User
from apm.accounts.passwords import hash_password, is_right
from apm.accounts.queries import (
    colleague,
    grants_of,
    session_by_token,
    sessions_in_hospital,
    sessions_of,
    user_by_email,
)
from apm.core.codes import new_token, token_digest
from apm.core.command import Actor, Context, command
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.i18n import _l
from apm.core.limits import limit, take_back
from apm.core.permissions import Permission, Role

SESSION_LIFE = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=10)
TRIES, TRIES_WITHIN = 5, timedelta(minutes=15)


def sign_in(ctx: Context, *, email: str, password: str, browser: str, address: str) -> str:
    """Check a password and open a session; return the token for the cookie.

    Not a `@command`: nobody is known yet.  Failed tries count per e-mail and per network
    address, so that neither one person nor one machine can be tried without end.

    Raises:
        TooMany: tried too often.
        Invalid: unknown person, wrong password, or no role in any hospital: one answer for all.
    """
    whose = f"sign-in:{token_digest(email.lower())}"
    tries = [
        limit(ctx, whose, most=TRIES, within=TRIES_WITHIN),
        limit(ctx, f"sign-in-from:{address}", most=10 * TRIES, within=TRIES_WITHIN),
    ]
    user = user_by_email(ctx.session, email)
    right = is_right(password, user.password_hash if user else None)
    grants = grants_of(ctx.session, user.id, ctx.now()) if user and right else []
    if user is None or not grants:
        message = _l("E-mail or password is wrong. Try again or ask your administrator.")
        raise Invalid(message, code="wrong_password")
    take_back(ctx, *tries)
    token = new_token()
    known = Context(ctx.session, Actor(user.email, grants[0].hospital_id, user_id=user.id))
    with known.writing("account.sign_in"):
        known.session.add(
            SignInSession(
                token_hash=token_digest(token),
                grant_id=grants[0].id,
                created_at=ctx.now(),
                last_seen_at=ctx.now(),
                expires_at=ctx.now() + SESSION_LIFE,
                browser=browser[:200],
            )
        )
    return token


def mark_seen(ctx: Context, sign_in_session: SignInSession) -> None:
    """Note that a session is in use, at most every ten minutes."""
    if ctx.now() - sign_in_session.last_seen_at > SEEN_EVERY:
        with ctx.writing("account.seen"):
            sign_in_session.last_seen_at = ctx.now()


@command("account.sign_out", Permission.ACCOUNT_OWN)
def sign_out(ctx: Context, *, token: str) -> None:
    """End the session this cookie belongs to."""
    if found := session_by_token(ctx.session, token, ctx.now()):
        found.revoked_at = ctx.now()


@command("account.revoke_session", Permission.ACCOUNT_OWN)
def revoke_session(ctx: Context, *, session_id: int) -> None:
    """End one of one's own sessions; an administrator may end any of the hospital."""
    own = None if ctx.actor.can(Permission.USER_ADMIN) else ctx.actor.user_id
    for found in sessions_in_hospital(ctx, user_id=own, now=ctx.now()):
        if found.id == session_id:
            found.revoked_at = ctx.now()
            return
    raise NotFound(_l("That session has already ended."))


@command("account.set_language", Permission.ACCOUNT_OWN)
def set_language(ctx: Context, *, language: str) -> None:
    """Remember the language a person reads."""
    colleague(ctx, ctx.actor.user_id or 0).language = language


def change_password(ctx: Context, *, current: str, password: str) -> None:
    """Set a new password after checking the old one; every browser is signed out.

    Hashing holds no lock on the database, and a wrong password counts though nothing changes:
    whoever finds an open browser must not be able to try passwords without end.

    Raises:
        TooMany: tried too often.
        Invalid: the old password is wrong.
    """
    tried = limit(ctx, f"password:{ctx.actor.user_id}", most=TRIES, within=TRIES_WITHIN)
    user = confirm_identity(ctx, password=current)
    take_back(ctx, tried)
    _set_password(ctx, user=user, password_hash=hash_password(password))


@command("account.change_password", Permission.ACCOUNT_OWN)
def _set_password(ctx: Context, *, user: User, password_hash: str) -> None:
    """Store a password's hash and end every session of the person, in whichever hospital."""
    user.password_hash = password_hash
    for found in sessions_of(ctx.session, user.id, ctx.now()):
        found.revoked_at = ctx.now()


def confirm_identity(ctx: Context, *, password: str) -> User:
    """Return the acting person if `password` is theirs: what a signature asks for again."""
    if ctx.actor.user_id is None:
        raise NotAllowed(_l("Only a person can sign."))
    user = colleague(ctx, ctx.actor.user_id)
    if not is_right(password, user.password_hash):
        message = _l("The password is wrong. Nothing was signed.")
        raise Invalid(message, fields={"password": [message]}, code="wrong_password")
    return user


@command("hospital.add", Permission.SYSTEM_RUN)
def add_hospital(
    ctx: Context, *, code: str, name: str, name_zh: str | None = None, phone: str | None = None
) -> Hospital:
    """Add a hospital.  Only the system, bound to none, may."""
    from_code = code.strip().upper()
    if not from_code.isalnum():
        raise Invalid(_l("A hospital code has only letters and digits, for example NORTH."))
    hospital = Hospital(code=from_code, name=name, name_zh=name_zh, phone=phone)
    ctx.session.add(hospital)
    ctx.session.flush()
    return hospital


@command("user.add", Permission.USER_ADMIN)
def add_user(
    ctx: Context, *, email: str, name: str, role: Role, password: str, name_zh: str | None = None
) -> User:
    """Add a person with a role in the actor's hospital; a known person gets the role as well."""
    if ctx.actor.hospital_id is None:
        raise Conflict(_l("Choose a hospital first."))
    address = email.strip().lower()
    if "@" not in address:
        message = _l("This is not an e-mail address.")
        raise Invalid(message, fields={"email": [message]})
    user = user_by_email(ctx.session, address)
    if user is None:
        user = User(
            email=address, name=name, name_zh=name_zh, password_hash=hash_password(password)
        )
        ctx.session.add(user)
        ctx.session.flush()
    elif any(
        g.hospital_id == ctx.actor.hospital_id for g in grants_of(ctx.session, user.id, ctx.now())
    ):
        raise Conflict(_l("%(email)s already has a role in this hospital."), email=address)
    ctx.session.add(Grant(user_id=user.id, hospital_id=ctx.actor.hospital_id, role=role))
    return user


@command("token.add", Permission.USER_ADMIN)
def add_token(ctx: Context, *, name: str, role: Role) -> str:
    """Make an API token for the actor's hospital; it is returned once and never stored."""
    token = "apm_" + new_token()
    ctx.session.add(
        ApiToken(
            name=name,
            token_hash=token_digest(token),
            hospital_id=ctx.actor.hospital_id,
            role=role,
            created_at=ctx.now(),
        )
    )
    return token


@command("token.revoke", Permission.USER_ADMIN)
def revoke_token(ctx: Context, *, token_id: int) -> None:
    """End an API token at once."""
    found = ctx.session.get(ApiToken, token_id)
    if found is None or found.hospital_id != ctx.actor.hospital_id or found.revoked_at:
        raise NotFound(_l("That token has already ended."))
    found.revoked_at = ctx.now()
