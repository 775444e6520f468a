"""Putting one's name to a template or a limit: the password again, with a stated meaning."""

from __future__ import annotations

from datetime import timedelta

from apm.accounts.commands import confirm_identity
from apm.accounts.model import User
from apm.core.command import Context
from apm.core.errors import Invalid, NotAllowed
from apm.core.i18n import _l
from apm.core.limits import limit

MOST_TRIES, WITHIN = 30, timedelta(minutes=15)
RELEASES = "I release this template for our hospital"
CONFIRMS = "I confirm this limit for our hospital"
"""What a signature means, as it is stored; pages show it in the language spoken."""


def signer_of(ctx: Context, password: str | None) -> User:
    """Return who signs.  Call it before the command: hashing must hold no lock on the database.

    Raises:
        NotAllowed: a program.
        Invalid: no password, or a wrong one.
        TooMany: wrong passwords.
    """
    if ctx.actor.user_id is None:
        raise NotAllowed(
            _l("A program cannot sign. Sign in as a person and sign on the page."),
            code="needs_person",
        )
    if not password:
        message = _l("Enter your password: it is your signature.")
        raise Invalid(message, fields={"password": [message]}, code="needs_password")
    limit(ctx, f"sign:{ctx.actor.user_id}", most=MOST_TRIES, within=WITHIN)
    return confirm_identity(ctx, password=password)
