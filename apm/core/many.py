"""Statements about many rows, without SQLAlchemy's work for each value.

It writes a list as a parameter each, and weighs each value of each row by itself: for a thousand
rows that takes several times as long as the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Text,
    Update,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from apm.core.db import UtcDateTime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Many(TypeDecorator[list[Any]]):
    """A list as the database takes it whole: an array, or the text of a JSON array."""

    impl = Text
    cache_ok = True

    def __init__(self, of: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.of))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        """Return what is sent."""
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[Any]):
    """The condition; compiled by database below."""

    name = "among"
    type = NullType()  # as Boolean it would be asked whether it is `= 1`, past any index
    inherit_cache = True


def among(column: InstrumentedAttribute[Any], values: Iterable[int | str]) -> ColumnElement[bool]:
    """Return the condition that a column of whole numbers or of text has one of these values."""
    of = BigInteger if issubclass(column.type.python_type, int) else Text
    return _Among(column, bindparam(None, list(values), type_=_Many(of), unique=True))


@compiles(_Among, "sqlite")
def _from_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    name, many = compiler.process(column, **options), compiler.process(values, **options)
    return f"{name} IN (SELECT value FROM json_each({many}))"  # noqa: S608  (compiled, not typed)


@compiles(_Among, "postgresql")
def _from_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    name, many = compiler.process(column, **options), compiler.process(values, **options)
    return f"{name} = ANY ({many})"


def repeat(connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an update once for each row of values, which are as the database takes them.

    Nothing is converted: instants come from `stamps`, and the statement names its hospital.
    """
    if not rows:
        return
    compiled = _compiled(statement, connection.dialect)
    constants = dict(compiled.params)  # those in the statement itself are parameters too
    full = [{**constants, **row} for row in rows]
    order = compiled.positiontup
    given: Any = full if order is None else [tuple([row[name] for name in order]) for row in full]
    connection.exec_driver_sql(str(compiled), given)


@lru_cache(maxsize=64)
def _compiled(statement: Update, dialect: Dialect) -> Any:
    return statement.compile(dialect=dialect)


def stamps(dialect: Dialect) -> Callable[[int], Any]:
    """Return what turns microseconds since 1970 into an instant as the database takes it."""
    convert = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)

    @lru_cache(maxsize=4096)  # many sensors of one batch share their instants
    def stamp(microseconds: int) -> Any:
        at = _EPOCH + timedelta(microseconds=microseconds)
        return at if convert is None else convert(at)

    return stamp


def instants() -> Callable[[Any], datetime | None]:
    """Return what makes instants of what the database gives as such, read as `NullType`.

    Many rows share their instants: each is made once.
    """
    known: dict[Any, datetime | None] = {None: None}

    def instant(given: Any) -> datetime | None:
        if given not in known:
            # SQLite gives text without a zone.
            at = datetime.fromisoformat(given) if isinstance(given, str) else given
            known[given] = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return known[given]

    return instant
