"""Equipment and work as the records stood at an instant: later changes are undone, newest first.

The audit trail has every change with its instant, the value before and the value after.  Whoever
learns from the past must see it as it was then: a cause found later, an order cancelled later or
equipment registered later would be news from the future.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select

from apm.assets.model import Asset, AssetState, Risk
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.db import Row
from apm.core.many import among
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType

R = TypeVar("R", bound=Row)
IN_OPERATION = frozenset(
    {AssetState.IN_SERVICE, AssetState.ON_LOAN, AssetState.UNDER_REPAIR, AssetState.QUARANTINED}
)
"""In use, or meant to be but for a fault: its time counts."""
AWAY = frozenset(AssetState) - IN_OPERATION
ASSET_FIELDS = (
    "category", "manufacturer", "model", "risk", "lifecycle", "in_service_on", "purchased_on",
)  # fmt: skip
FOLLOW_UP = "failed:"
"""How the origin of a repair begins that a failed step of planned work asked for."""
ORDER_FIELDS = ("asset_id", "state", "cause_code", "down_from", "done_at")


@dataclass(frozen=True, slots=True)
class AssetThen:
    """One asset as it was registered then; `known_at`: when it was registered."""

    id: int
    category: str
    make: tuple[str, str]
    """Manufacturer and model; empty where not said."""
    risk: Risk
    lifecycle: AssetState
    new_on: date | None
    known_at: datetime
    moves: list[tuple[datetime, bool]]
    """When it left operation (False) or came back (True), in order, up to then."""


@dataclass(frozen=True, slots=True)
class OrderThen:
    """One work order as it stood then."""

    id: int
    no: str
    type: WorkType
    is_follow_up: bool
    """A repair that planned work asked for: what was found there, not a failure in service."""
    asset_id: int
    state: WorkState
    cause_code: str | None
    created_at: datetime
    began_at: datetime
    """When the equipment stopped, as was said then; else when it was opened."""
    done_at: datetime | None


def assets_then(ctx: Context, at: datetime, only: Sequence[int] | None = None) -> list[AssetThen]:
    """Return the assets registered by `at`, by id, in four statements (`only`: some of them)."""
    columns = [getattr(Asset, name) for name in ASSET_FIELDS]
    query = select(Asset.id, *columns).order_by(Asset.id)
    undone = _undone(ctx, "Asset", at, only)
    known, moves = _registered(ctx, at, only), _moves(ctx, at, only)
    found = []
    for row in ctx.session.execute(_some(query, Asset.id, only)):
        if row.id not in known:
            continue
        was = dict(zip(ASSET_FIELDS, row[1:], strict=True)) | undone.get(row.id, {})
        found.append(
            AssetThen(
                row.id,
                str(was["category"]),
                (was["manufacturer"] or "", was["model"] or ""),
                Risk(was["risk"]),
                AssetState(was["lifecycle"]),
                _day(was["in_service_on"]) or _day(was["purchased_on"]),
                known[row.id],
                moves.get(row.id, []),
            )
        )
    return found


def orders_then(ctx: Context, at: datetime, only: Sequence[int] | None = None) -> list[OrderThen]:
    """Return the orders on assets opened by `at`, cancelled ones left out, in two statements."""
    columns = [getattr(WorkOrder, name) for name in ORDER_FIELDS]
    query = (
        select(WorkOrder.id, WorkOrder.no, WorkOrder.type, WorkOrder.origin, WorkOrder.created_at)
        .add_columns(*columns)
        .where(WorkOrder.asset_id.is_not(None), WorkOrder.created_at <= at)
        .order_by(WorkOrder.created_at, WorkOrder.id)
    )
    undone = _undone(ctx, "WorkOrder", at, only)
    found = []
    for row in ctx.session.execute(_some(query, WorkOrder.asset_id, only)):
        was = dict(zip(ORDER_FIELDS, row[5:], strict=True)) | undone.get(row.id, {})
        if was["state"] == WorkState.CANCELLED or was["asset_id"] is None:
            continue
        found.append(
            OrderThen(
                row.id,
                row.no,
                row.type,
                (row.origin or "").startswith(FOLLOW_UP),
                int(was["asset_id"]),
                WorkState(was["state"]),
                was["cause_code"],
                row.created_at,
                _instant(was["down_from"]) or row.created_at,
                _instant(was["done_at"]),
            )
        )
    return found


def rows_then(ctx: Context, query: Select[R], model: type[R], at: datetime) -> list[R]:
    """Return the rows of a query as they stood at `at`: later ones left out, later changes undone.

    What was changed comes as copies that belong to no session.  A row without a trail is taken as
    it is.  One statement; three where something changed later.
    """
    rows = list(ctx.session.scalars(query))
    trail = (
        AuditEntry.chain == ctx.actor.hospital_id, AuditEntry.entity == model.__name__,
    )  # fmt: skip
    later = select(AuditEntry.seq, AuditEntry.entity_id, AuditEntry.changes).where(
        *trail, AuditEntry.at > at
    )
    undone: dict[int, dict[str, Any]] = defaultdict(dict)
    for _seq, row_id, changes in _newest_first(ctx, later):
        undone[row_id].update({name: old for name, (old, _new) in changes.items()})
    if not undone:
        return rows
    before = select(AuditEntry.entity_id).where(
        *trail, AuditEntry.at <= at, among(AuditEntry.entity_id, undone)
    )
    known = set(ctx.session.scalars(before))
    return [
        _copied(row, undone[row.id]) if row.id in undone else row
        for row in rows
        if row.id not in undone or row.id in known
    ]


def changed_later(ctx: Context, model: type[R], name: str, at: datetime) -> set[int]:
    """Return the ids of rows of which a column was changed after `at`."""
    query = select(AuditEntry.entity_id, AuditEntry.changes).where(
        AuditEntry.chain == ctx.actor.hospital_id,
        AuditEntry.entity == model.__name__,
        AuditEntry.at > at,
    )
    return {row_id for row_id, changes in ctx.session.execute(query) if name in changes}


def _copied(row: R, old: dict[str, Any]) -> R:
    columns = row.__table__.c
    values = {column.key: getattr(row, column.key) for column in columns}
    values |= {name: _typed(columns[name], text) for name, text in old.items() if name in columns}
    return type(row)(**values)


def _typed(column: Any, text: str | None) -> Any:
    """Return a value of the trail as its column holds it."""
    kind = column.type.python_type
    if text is None or kind is str:
        return text
    if kind is bool:
        return text == "True"
    return datetime.fromisoformat(text) if kind is datetime else kind(text)


def at_days(days: float) -> datetime:
    """Return the instant so many days after 1970.

    >>> at_days(1.5).isoformat()
    '1970-01-02T12:00:00+00:00'
    """
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)


def _some(query: Any, column: Any, only: Sequence[int] | None) -> Any:
    return query if only is None else query.where(among(column, only))


def _undone(
    ctx: Context, entity: str, at: datetime, only: Sequence[int] | None
) -> dict[int, dict[str, Any]]:
    """Return, by row, the values it had at `at` of what was changed afterwards."""
    query = select(AuditEntry.seq, AuditEntry.entity_id, AuditEntry.changes).where(
        AuditEntry.chain == ctx.actor.hospital_id,
        AuditEntry.entity == entity,
        AuditEntry.at > at,
    )
    if entity == "WorkOrder":  # an order opened later is left out anyway
        before = select(WorkOrder.id).where(WorkOrder.created_at <= at)
        query = query.where(AuditEntry.entity_id.in_(_some(before, WorkOrder.asset_id, only)))
    else:
        query = _some(query, AuditEntry.entity_id, only)
    fields = ASSET_FIELDS if entity == "Asset" else ORDER_FIELDS
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for _seq, row_id, changes in _newest_first(ctx, query):
        for name in fields:
            if name in changes:
                found[row_id][name] = changes[name][0]
    return found


def _registered(ctx: Context, at: datetime, only: Sequence[int] | None) -> dict[int, datetime]:
    """Return when each asset was registered, of those that were by `at`."""
    first = func.min(AuditEntry.at)
    query = (
        select(AuditEntry.entity_id, first)
        .where(AuditEntry.chain == ctx.actor.hospital_id, AuditEntry.entity == "Asset")
        .group_by(AuditEntry.entity_id)
        .having(first <= at)
    )
    rows = ctx.session.execute(_some(query, AuditEntry.entity_id, only))
    return {row.entity_id: row[1] for row in rows}


def _moves(
    ctx: Context, at: datetime, only: Sequence[int] | None
) -> dict[int, list[tuple[datetime, bool]]]:
    """Return when assets left operation or came back, up to `at`."""
    before = AuditEntry.changes[("lifecycle", 0)].as_string()
    after = AuditEntry.changes[("lifecycle", 1)].as_string()
    away = [state.value for state in AWAY]
    query = select(AuditEntry.seq, AuditEntry.entity_id, AuditEntry.at, after).where(
        AuditEntry.chain == ctx.actor.hospital_id,
        AuditEntry.entity == "Asset",
        AuditEntry.at <= at,
        or_(before.in_(away), after.in_(away)),
    )
    found: dict[int, list[tuple[datetime, bool]]] = defaultdict(list)
    rows = _newest_first(ctx, _some(query, AuditEntry.entity_id, only))
    for _seq, row_id, when, state in reversed(rows):
        found[row_id].append((when, state not in away))
    return found


def _newest_first(ctx: Context, query: Any) -> list[Any]:
    """Return entries of the trail, by their number.

    Ordered by the database they would be looked for along that number: through the whole trail.
    """
    return sorted(ctx.session.execute(query), key=lambda row: -row.seq)


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
