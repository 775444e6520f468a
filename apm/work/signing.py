"""Putting one's name to a record: by password, or by hand on the screen.

A signature has two parts (21 CFR 11.200): who signs is known by the session, and the password is
given at the time of signing.  Drawn by hand, the drawing takes the place of the password, but only
in a session that began with the password a short while ago; later the password is asked for too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from apm.accounts.commands import confirm_identity
from apm.accounts.model import User
from apm.accounts.queries import colleague
from apm.core.command import Context
from apm.core.errors import Invalid, NotAllowed
from apm.core.i18n import _l
from apm.core.limits import limit

MOST_TRIES, WITHIN = 30, timedelta(minutes=15)
FRESH = timedelta(minutes=30)
"""How long after signing in a drawn signature needs no password."""
STROKES = re.compile(r"(?:M\d{1,4} \d{1,4}(?:L\d{1,4} \d{1,4})+)+")
MOST_LETTERS = 40_000
FEWEST_LINES = 4
"""A name needs a few lines; a dot is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Hand:
    """How else a signature may come than by password alone."""

    drawn: str | None = None
    """A name written with the finger: an SVG path on a field 1000 wide."""
    signed_in_at: datetime | None = None
    """When the session began in which it was drawn."""
    once: str | None = None
    """The sender's own key: sent again, because no answer came, it is one signature."""


BY_PASSWORD = Hand()


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and how that is known."""

    user: User
    drawn: str | None
    has_password: bool
    once: str | None = None

    @property
    def method(self) -> str:
        """How the signature was given."""
        if self.drawn is None:
            return "password"
        return "both" if self.has_password else "drawn"


def signer_of(ctx: Context, password: str | None, hand: Hand) -> Signer:
    """Return who signs.  Call it before the command: hashing must hold no lock on the database.

    Raises:
        NotAllowed: a program.
        Invalid: no password, or a wrong one; a drawing that is none, or too long after signing in.
        TooMany: wrong passwords.
    """
    if ctx.actor.user_id is None:
        raise NotAllowed(
            _l("A program cannot sign. Sign in as a person and complete the work on its page."),
            code="needs_person",
        )
    path = _checked(hand.drawn) if hand.drawn else None
    if not password and path and _is_fresh(ctx, hand):
        return Signer(colleague(ctx, ctx.actor.user_id), path, has_password=False, once=hand.once)
    if not password:
        message = (
            _l("You signed in a while ago. Enter your password as well.")
            if path
            else _l("Enter your password: it is your signature.")
        )
        raise Invalid(message, fields={"password": [message]}, code="needs_password")
    limit(ctx, f"sign:{ctx.actor.user_id}", most=MOST_TRIES, within=WITHIN)
    return Signer(
        confirm_identity(ctx, password=password), path, has_password=True, once=hand.once
    )


def _checked(path: str) -> str:
    if len(path) > MOST_LETTERS or not STROKES.fullmatch(path) or path.count("L") < FEWEST_LINES:
        message = _l("This is no signature. Write your name in the field, or use your password.")
        raise Invalid(message, fields={"drawn": [message]})
    return path


def _is_fresh(ctx: Context, hand: Hand) -> bool:
    began = hand.signed_in_at
    return began is not None and ctx.now() - began <= FRESH
