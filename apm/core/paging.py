"""Keyset paging: work grows with the page, not with the table."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from apm.core.db import ApmSession
from apm.core.errors import Invalid
from apm.core.i18n import _l

T = TypeVar("T")
MOST = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor that continues it (None at the end)."""

    items: list[T]
    next: str | None


def page_of(
    session: ApmSession,
    query: Select[T],
    *,
    by: Sequence[InstrumentedAttribute[Any]],
    after: str | None = None,
    limit: int = 50,
    descending: bool = False,
) -> Page[T]:
    """Return one page of `query`, ordered by the columns `by`, the last of them unique.

    Args:
        session: the session to read in.
        query: selects one mapped class; without an order of its own.
        by: columns that are never null; all ascending, or all `descending`.
        after: the cursor a former page ended with.
        limit: rows a page, 1 to 500.
        descending: newest or largest first.
    """
    limit = max(1, min(limit, MOST))
    if after:
        here = _decode(after, [column.type.python_type for column in by])
        beyond = tuple_(*by) < here if descending else tuple_(*by) > here
        query = query.where(beyond)
    order = [column.desc() if descending else column.asc() for column in by]
    rows = list(session.scalars(query.order_by(*order).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    last = [getattr(rows[-1], column.key) for column in by] if more else None
    return Page(rows, _encode(last) if last else None)


def cursor_of(values: list[Any]) -> str:
    """Return the cursor of a list that is not a query: where it stands, as plain values."""
    return _encode(values)


def cursor_values(cursor: str, kinds: list[type]) -> tuple[Any, ...]:
    """Return what `cursor_of` wrote.

    Raises:
        Invalid: no cursor of such a list.
    """
    return _decode(cursor, kinds)


def _encode(values: list[Any]) -> str:
    plain = [_tagged(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _tagged(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    return {"d": value.isoformat()} if isinstance(value, date) else value


def _untagged(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return datetime.fromisoformat(value["t"]) if "t" in value else date.fromisoformat(value["d"])


def _decode(cursor: str, kinds: list[type]) -> tuple[Any, ...]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        plain = json.loads(base64.urlsafe_b64decode(padded))
        values = [_untagged(value) for value in plain]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad_cursor() from error
    is_naive = any(isinstance(value, datetime) and value.tzinfo is None for value in values)
    if [type(value) for value in values] != kinds or is_naive:
        raise _bad_cursor()
    return tuple(values)


def _bad_cursor() -> Invalid:
    return Invalid(
        _l("This page link is damaged. Start from the first page of the list."),
        fields={"after": [_l("Not a cursor of this list.")]},
    )
