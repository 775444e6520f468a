"""What every command needs: settings, an open database, a context bound to one hospital."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import Engine

from apm import database
from apm.accounts.queries import hospital_by_code, system_actor
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.errors import Invalid
from apm.core.i18n import _
from apm.core.settings import Settings


class Refused(Exception):
    """The command cannot be carried out; the message says what to do."""


def report_refusal(error: Exception) -> None:
    """Print why on stderr, the fields line by line."""
    click.echo(str(error), err=True)
    if isinstance(error, Invalid):
        for name, messages in error.fields.items():
            click.echo(f"  {name}: {'; '.join(str(m) for m in messages)}", err=True)


def hospital_option(function: Any) -> Any:
    """Add `--hospital CODE`."""
    return click.option(
        "--hospital", "hospital", required=True, metavar="CODE", help="The hospital's code."
    )(function)


@contextmanager
def open_database(*, must_be_current: bool = True) -> Iterator[Engine]:
    """Open the database of the settings; refuse one whose schema is not current."""
    engine = make_engine(Settings.from_env().database_url)
    try:
        if must_be_current and not database.is_current(engine):
            raise Refused(_("The database is not up to date. Run: apm db upgrade"))
        yield engine
    finally:
        engine.dispose()


@contextmanager
def acting(hospital: str | None, name: str = "command line") -> Iterator[Context]:
    """Return the system's context for one hospital (by code), or for none."""
    with open_database() as engine, make_sessions(engine)() as session:
        top = Context(session, system_actor(None, name))
        if hospital is None:
            yield top
        else:
            found = hospital_by_code(session, hospital)
            yield Context(session, system_actor(found.id, name))
