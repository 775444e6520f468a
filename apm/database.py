"""The database's schema: upgrade it, compare it with the models, say whether it is current."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from apm import models as _all_models  # noqa: F401  (so that the metadata is whole)
from apm.core.db import Base
from apm.migrations.compare import compare_type

COARSE = "1000000 50000"
"""Rows of a table, and rows found by an index: far more than by any other (SQLite's format)."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction in which tables may be made anew.

    SQLite changes a table by copying it and dropping the old one, which its foreign keys would
    forbid; they rest meanwhile, and are checked as a whole before anything is kept.
    """
    with engine.execution_options(apm_writing=True).connect() as connection:
        raw: Any = connection.connection.driver_connection
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")  # before the transaction, else it does nothing
        try:
            with connection.begin():
                yield connection
                if is_sqlite and (broken := raw.execute("PRAGMA foreign_key_check").fetchone()):
                    raise RuntimeError(f"the migration left a row that leads nowhere: {broken}")
        finally:
            if is_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`; safe to call at every start and from several processes."""
    with _changing(engine) as connection:
        command.upgrade(_config(connection), revision)
        if connection.dialect.name == "sqlite":
            _teach_planner(connection)


def _teach_planner(connection: Connection) -> None:
    """Tell SQLite that an index on the hospital alone finds thousands of rows.

    Every statement names the hospital.  Knowing nothing, SQLite supposes that ten rows are of one
    hospital, and reads them all where two hundred sensors are asked for: the blocks of all sensors
    and years, for a day of some.  PostgreSQL counts by itself.
    """
    query = text(
        "SELECT i.tbl_name, i.name FROM sqlite_schema i, pragma_index_info(i.name) c"
        " WHERE i.type = 'index' GROUP BY i.name HAVING group_concat(c.name) = 'hospital_id'"
    )
    wanted = {(table, index, COARSE) for table, index in connection.execute(query)}
    connection.execute(text("ANALYZE sqlite_schema"))  # makes the table of what is known
    known = text("SELECT tbl, idx, stat FROM sqlite_stat1")
    if wanted == {tuple(row) for row in connection.execute(known)}:
        return
    connection.execute(text("DELETE FROM sqlite_stat1"))
    rows = [{"t": table, "i": index, "s": stat} for table, index, stat in sorted(wanted)]
    connection.execute(text("INSERT INTO sqlite_stat1 VALUES (:t, :i, :s)"), rows)
    connection.execute(text("ANALYZE sqlite_schema"))  # reads it


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to `revision`."""
    with _changing(engine) as connection:
        command.downgrade(_config(connection), revision)


def new_revision(engine: Engine, message: str) -> None:
    """Write a migration that takes the database to what the models say."""
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True)


def is_current(engine: Engine) -> bool:
    """Tell whether every migration has been applied."""
    heads = ScriptDirectory.from_config(_config()).get_heads()
    with engine.connect() as connection:
        applied = MigrationContext.configure(connection).get_current_heads()
    return set(applied) == set(heads)


def differences(engine: Engine) -> list[str]:
    """Return how the database differs from the models, one line each; empty when they agree."""
    with engine.connect() as connection:
        options = {"compare_type": compare_type, "target_metadata": Base.metadata}
        context = MigrationContext.configure(connection, opts=options)
        return [str(difference) for difference in compare_metadata(context, Base.metadata)]
