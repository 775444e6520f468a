"""How often something may be tried: counted in the database, so all processes count together."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.command import Context
from apm.core.db import Row
from apm.core.errors import TooMany
from apm.core.i18n import _l

IN_DOUBT = "tries in doubt"


class Attempt(Row):
    """One try of something that is limited."""

    __tablename__ = "attempt"

    key: Mapped[str] = mapped_column(index=True)
    """What is limited and for whom, for example `login:<digest of the address>`."""
    at: Mapped[datetime] = mapped_column(index=True)


def limit(ctx: Context, key: str, *, most: int, within: timedelta) -> int:
    """Count one more try of `key`; raise `TooMany` when there were `most` within the time.

    The try is committed at once, so that a refused or failed action counts all the same.  It is
    counted again after that: of many tries at once each sees those committed before it, so that
    they cannot slip through together.  Returns its id, for `take_back` if it went well.
    """
    query = _count(key, ctx.now() - within)
    if (ctx.session.scalar(query) or 0) >= most:
        raise _too_many(within)
    attempt = Attempt(key=key, at=ctx.now())
    if "command" in ctx.session.info:  # that one may be rolled back, and the try with it
        ctx.session.info.setdefault(IN_DOUBT, []).append(key)
    with ctx.writing("limit.count"):
        ctx.session.add(attempt)
    if (ctx.session.scalar(query) or 0) > most:
        take_back(ctx, attempt.id)
        raise _too_many(within)
    return attempt.id


def _count(key: str, since: datetime) -> Select[int]:
    return select(func.count(Attempt.id)).where(Attempt.key == key, Attempt.at > since)


def _too_many(within: timedelta) -> TooMany:
    minutes = max(1, round(within.total_seconds() / 60))
    return TooMany(
        _l("Too many attempts. Wait %(minutes)s minutes and try again."), minutes=minutes
    )


def take_back(ctx: Context, *attempts: int) -> None:
    """Do not count these tries: they succeeded, and only failures are limited."""
    with ctx.writing("limit.take_back"):
        ctx.session.execute(delete(Attempt).where(Attempt.id.in_(attempts)))


def count_again(ctx: Context) -> None:
    """Count the tries that were rolled back with the command around them."""
    keys = ctx.session.info.pop(IN_DOUBT, [])
    if keys:
        with ctx.writing("limit.count"):
            ctx.session.add_all(Attempt(key=key, at=ctx.now()) for key in keys)


def forget(ctx: Context, *, before: datetime) -> None:
    """Drop the tries older than `before`: no limit looks back that far."""
    with ctx.writing("limit.forget"):
        ctx.session.execute(delete(Attempt).where(Attempt.at < before))
