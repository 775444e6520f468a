"""Arithmetic on instants inside the database, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, case
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class seconds(FunctionElement[float]):  # noqa: N801  (a function of SQL, written like one)
    """Seconds since 1970 of an instant, or of a day's midnight in UTC."""

    type = Float()
    inherit_cache = True


@compiles(seconds, "sqlite")
def _on_sqlite(element: seconds, compiler: SQLCompiler, **options: Any) -> str:
    # Instants are stored as text; julianday keeps milliseconds.
    return f"((julianday({compiler.process(element.clauses, **options)}) - 2440587.5) * 86400.0)"


@compiles(seconds, "postgresql")
def _on_postgresql(element: seconds, compiler: SQLCompiler, **options: Any) -> str:
    inner = compiler.process(element.clauses, **options)
    return f"CAST(EXTRACT(EPOCH FROM {inner}) AS DOUBLE PRECISION)"


def larger(one: ColumnElement[float], other: ColumnElement[float]) -> ColumnElement[float]:
    """Return the larger of two numbers that are not null (max() and greatest() differ by name)."""
    return case((one > other, one), else_=other)


def smaller(one: ColumnElement[float], other: ColumnElement[float]) -> ColumnElement[float]:
    """Return the smaller of two numbers that are not null."""
    return case((one < other, one), else_=other)
