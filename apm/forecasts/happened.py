"""What happened to equipment since forecasts were made: repairs, findings, retirements, limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from apm.assets.model import GONE, AssetState
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.many import among
from apm.forecasts.asof import FOLLOW_UP
from apm.forecasts.judging import BY_FINDING, Happening, Kind
from apm.parts.model import Part, StockMove
from apm.parts.queries import used_parts
from apm.procedures.model import Verdict
from apm.readings.model import Alarm, AlarmKind
from apm.work.causes import causes
from apm.work.model import WorkOrder, WorkStep
from apm.work.states import WorkState, WorkType

LIMITS = frozenset({AlarmKind.HIGH, AlarmKind.LOW})
OUT_OF_SIGHT = frozenset({state.value for state in GONE} | {AssetState.MISSING.value})
Happened = dict[int, list[Happening]]


def happened_to(ctx: Context, asset_ids: Collection[int], since: datetime) -> Happened:
    """Return what happened to each asset after `since`, in four statements."""
    found: Happened = defaultdict(list)
    orders = list(ctx.session.execute(_orders(asset_ids, since)))
    done = [row.id for row in orders if row.type is not WorkType.CORRECTIVE]
    failed, renewed = _with_failed_steps(ctx, done), _with_parts(ctx, done)
    for row in orders:
        one = (
            _repair(row)
            if row.type is WorkType.CORRECTIVE
            else _planned(row, has_failed=row.id in failed, has_parts=row.id in renewed)
        )
        if one and one.at > since:
            found[row.asset_id].append(one)
    for asset_id, one in _gone(ctx, asset_ids, since):
        found[asset_id].append(one)
    return found


def limits_reached(ctx: Context, sensor_ids: Collection[int], since: datetime) -> Happened:
    """Return when sensors went beyond a limit after `since`, in one statement."""
    query = select(Alarm.sensor_id, Alarm.since, Alarm.id).where(
        Alarm.sensor_id.in_(sensor_ids), Alarm.kind.in_(LIMITS), Alarm.since > since
    )
    found: Happened = defaultdict(list)
    for sensor_id, at, alarm_id in ctx.session.execute(query):
        found[sensor_id].append(Happening(Kind.FAILURE, at, "limit", f"alarm:{alarm_id}"))
    return found


def _orders(asset_ids: Collection[int], since: datetime) -> Any:
    began = func.coalesce(WorkOrder.down_from, WorkOrder.created_at)
    return select(
        WorkOrder.id, WorkOrder.no, WorkOrder.type, WorkOrder.origin, WorkOrder.asset_id,
        WorkOrder.cause_code, WorkOrder.done_at, WorkOrder.as_found, began.label("began"),
    ).where(
        WorkOrder.asset_id.in_(asset_ids),
        WorkOrder.state != WorkState.CANCELLED,
        func.coalesce(WorkOrder.done_at, began) > since,
    )  # fmt: skip


def _repair(row: Any) -> Happening | None:
    """Return a failure, unless the repair found none or belongs to planned work."""
    known = causes().get(row.cause_code or "")
    if (known and not known.is_failure) or (row.origin or "").startswith(FOLLOW_UP):
        return None
    return Happening(Kind.FAILURE, row.began, "failure", row.no)


def _planned(row: Any, *, has_failed: bool, has_parts: bool) -> Happening | None:
    """Return what planned work found: as was said, else by failed steps, cause and parts."""
    if row.done_at is None:
        return None
    asked = row.type is WorkType.PREDICTIVE
    known = causes().get(row.cause_code or "")
    if row.as_found is not None:
        kind, code = BY_FINDING[row.as_found], f"as_found_{row.as_found.value}"
    elif has_failed:
        kind, code = Kind.FOUND, "failed_step"
    elif known and known.bucket != "none":
        kind, code = Kind.FOUND, "cause"
    elif has_parts and asked:
        kind, code = Kind.FOUND, "part"
    elif has_parts:
        kind, code = Kind.REPLACED, "replaced"
    else:
        kind, code = Kind.LOOKED, "looked"
    return Happening(kind, row.done_at, code, row.no, asked)


def _with_failed_steps(ctx: Context, ids: list[int]) -> set[int]:
    query = select(WorkStep.work_order_id).where(
        WorkStep.work_order_id.in_(ids), WorkStep.verdict == Verdict.FAIL
    )
    return set(ctx.session.scalars(query))


def _with_parts(ctx: Context, ids: list[int]) -> set[int]:
    """Return the orders that used a spare part; a consumable renews nothing."""
    query = (
        used_parts()
        .join(Part, Part.id == StockMove.part_id)
        .where(among(StockMove.work_order_id, ids), Part.is_consumable.is_(False))
    )
    return {order_id for order_id, _part in ctx.session.execute(query) if order_id}


def _gone(
    ctx: Context, asset_ids: Collection[int], since: datetime
) -> Iterator[tuple[int, Happening]]:
    after = AuditEntry.changes[("lifecycle", 1)].as_string()
    query = select(AuditEntry.entity_id, AuditEntry.at, after).where(
        AuditEntry.chain == ctx.actor.hospital_id,
        AuditEntry.entity == "Asset",
        AuditEntry.entity_id.in_(asset_ids),
        AuditEntry.at > since,
        after.in_(OUT_OF_SIGHT),
    )
    for asset_id, at, state in ctx.session.execute(query):
        yield asset_id, Happening(Kind.GONE, at, state)
