"""From a request to the actor: an API token, a session cookie, or nobody."""

from __future__ import annotations

from datetime import datetime

from flask import Request

from apm.accounts.commands import mark_seen
from apm.accounts.queries import actor_by_api_token, actor_of, session_by_token
from apm.core.command import Actor, Context
from apm.core.errors import NotSignedIn
from apm.core.http import NOBODY
from apm.core.i18n import _l

COOKIE = "apm_session"


def identify(request: Request, ctx: Context) -> Actor:
    """Return who sends this request; a wrong token is refused, a stale cookie is nobody."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _sep, token = header.partition(" ")
        found = actor_by_api_token(ctx.session, token.strip())
        if scheme.lower() != "bearer" or found is None:
            raise NotSignedIn(_l("This API token is not valid. Ask an administrator for one."))
        return found
    cookie = request.cookies.get(COOKIE)
    known = session_by_token(ctx.session, cookie, ctx.now()) if cookie else None
    if known is None:
        return NOBODY
    actor = actor_of(known.grant)
    mark_seen(Context(ctx.session, actor, ctx.now), known)
    return actor


def signed_in_at(request: Request, ctx: Context) -> datetime | None:
    """Return when this browser's session began, with a password; None for a program."""
    cookie = request.cookies.get(COOKIE)
    if "Authorization" in request.headers or not cookie:
        return None
    known = session_by_token(ctx.session, cookie, ctx.now())
    return known.created_at if known else None
