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
from sqlalchemy import Connection, Engine

from apm import models as _all_models  # noqa: F401  (so that the metadata is whole)
from apm.core.db import Base
from apm.migrations.compare import compare_type


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
