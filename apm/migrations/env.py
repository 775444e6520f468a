"""How alembic reaches our database: with the models' metadata, one migrator at a time."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection, Enum, text

from apm import models as _all_models  # noqa: F401  (so that the metadata is whole)
from apm.core.db import Base, UtcDateTime
from apm.migrations.compare import compare_type

LOCK = 4_201_966  # any number, the same for every apm


def render_item(kind: str, item: object, _autogen: object) -> str | Literal[False]:
    """Write our own column types as the plain ones they are."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        compare_type=compare_type,
        transaction_per_migration=False,
    )
    context.run_migrations()


migrate(context.config.attributes["connection"])
