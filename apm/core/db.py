"""The declarative base, the session class and the engine: plain SQLAlchemy, nothing hidden."""

from __future__ import annotations

import random
import sqlite3
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    Result,
    create_engine,
    event,
    exc,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from apm.core.storable import refuse_unstorable, unstorable

# Named constraints, so that a migration can drop or alter them by name on every database.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# SQLite only numbers rows by itself when the key is called INTEGER.
BigInt = BigInteger().with_variant(Integer, "sqlite")


PATIENCE_S = 30
"""How long one waits for others to write before it is an error."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, always aware and in UTC.  SQLite has no time zones, so we add it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a value is (a decorator says `object` by itself)."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store an instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: use an aware one")
        try:
            return value.astimezone(UTC)
        except OverflowError:  # the first or the last day of the calendar, in another zone
            raise unstorable() from None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Load an instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainJson(TypeDecorator[Any]):
    """JSON of lists, text keys and finite numbers alone, read and written a few times faster.

    On SQLite, which keeps JSON as text; psycopg has ways of its own.
    """

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes text of a value."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)
        return lambda value: orjson.dumps(value).decode()

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """Return what makes a value of text."""
        return (
            orjson.loads
            if dialect.name == "sqlite"
            else super().result_processor(dialect, coltype)
        )


def text_enum(kind: type[StrEnum]) -> Enum:
    """Return a column type that stores `kind` by value, as text, without a CHECK to migrate."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, int: BigInt}


class Row(Base):
    """A row numbered by the database."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)


class RawStatement(Exception):
    """Code tried SQL that names no mapped class, so no guard could see it: a bug."""


class ApmSession(Session):
    """Our session.  `core.hospital_scope` and `core.audit` listen to it, and to no other."""

    def get_bind(self, mapper: Any = None, *, clause: Any = None, **options: Any) -> Any:
        """Refuse Core and text statements: the hospital filter cannot reach into them."""
        if clause is not None and mapper is None:
            raise RawStatement("select mapped classes, not tables or text")
        return super().get_bind(mapper, clause=clause, **options)


def make_engine(url: str) -> Engine:
    """Create the engine; on SQLite switch on what PostgreSQL does by itself."""
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": PATIENCE_S})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, pool_pre_ping=True)
    event.listen(engine, "before_cursor_execute", refuse_unstorable)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late (before the first write), so we emit ours.
    connection.isolation_level = None
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its turn at once: a reader that turns writer half-way fails without waiting.
    if not connection.get_execution_options().get("apm_writing", False):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite itself sleeps ever longer between its looks, up to a tenth of a second, while others
    # write in between.  We look every millisecond.
    raw: Any = connection.connection.driver_connection
    until = time.monotonic() + PATIENCE_S
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while not _begun(raw):
            if time.monotonic() >= until:
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # its error says what is wrong
                return
            time.sleep(random.uniform(0.0005, 0.0015))  # noqa: S311  (nobody guesses it)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {PATIENCE_S * 1000}")


def _begun(raw: Any) -> bool:
    """Begin to write; False when somebody else writes."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise exc.OperationalError("BEGIN IMMEDIATE", None, error) from error
    return True


def changed(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE touched."""
    return result.rowcount if isinstance(result, CursorResult) else 0


def make_sessions(engine: Engine) -> sessionmaker[ApmSession]:
    """Create the session factory."""
    return sessionmaker(engine, class_=ApmSession, expire_on_commit=False)
