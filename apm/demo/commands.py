"""Signing in with one click, in the demo hospital alone."""

from __future__ import annotations

from datetime import timedelta

from apm.accounts.model import SignInSession
from apm.accounts.queries import actor_of, grants_of, user_by_email
from apm.core.codes import new_token, token_digest
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l

LASTS = timedelta(days=1)


def sign_in_as(ctx: Context, *, email: str, browser: str) -> str:
    """Open a session for one of the demo's people without a password; return its token.

    Not a `@command`: nobody is known yet.

    Raises:
        NotFound: no such person in a demo hospital.
    """
    user = user_by_email(ctx.session, email)
    grants = grants_of(ctx.session, user.id, ctx.now()) if user else []
    demo = [grant for grant in grants if grant.hospital.is_demo]
    if not demo:
        raise NotFound(_l("Nobody of the demo has this address. Choose one from the list."))
    token = new_token()
    known = Context(ctx.session, actor_of(demo[0]), ctx.now)
    with known.writing("demo.sign_in"):
        known.session.add(
            SignInSession(
                token_hash=token_digest(token),
                grant_id=demo[0].id,
                created_at=ctx.now(),
                last_seen_at=ctx.now(),
                expires_at=ctx.now() + LASTS,
                browser=browser[:200],
            )
        )
    return token
