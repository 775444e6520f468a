"""What every command needs: settings, an open database, a context bound to one hospital."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import Engine

from apm import database
from apm.accounts.queries import hospital_by_code, system_actor
from apm.cli.refusal import Refused
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.i18n import _
from apm.core.settings import Settings
from apm.factory import load_features


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


def stay() -> None:
    """Make ready for a long run: all features, and a collector of garbage that rests more.

    What is loaded by now stays, so it need not be looked through again and again; thousands of
    readings at once are no garbage either.  A round of alarms takes a fifth less time so.
    """
    load_features()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@contextmanager
def acting(hospital: str | None, name: str = "command line") -> Iterator[Context]:
    """Return the system's context for one hospital (by code), or for none."""
    load_features()  # what one feature asks of another holds on the command line too
    with open_database() as engine, make_sessions(engine)() as session:
        top = Context(session, system_actor(None, name))
        if hospital is None:
            yield top
        else:
            found = hospital_by_code(session, hospital)
            yield Context(session, system_actor(found.id, name))
