"""Evidence of how the equipment is used: what was reported, its own log, what the repair took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from scipy.special import betainc
from sqlalchemy import func, select

from apm.accounts.queries import zone_of
from apm.assets.model import Asset
from apm.attribution.finding import Failure, Found
from apm.attribution.model import CodeClass, DeviceEvent
from apm.core.command import Context
from apm.parts.model import MoveKind, StockMove
from apm.requests.model import Request
from apm.work.model import Cost, WorkOrder
from apm.work.states import CostKind, WorkType

NO_FAULT = "NPF"
NO_FAULT_WINDOW = timedelta(days=90)
LOG_WINDOW, LOG_ALIVE = timedelta(hours=24), timedelta(days=90)
YEAR = timedelta(days=365)
SYMPTOM_CLASS = {
    "broken": "damage", "accessory": "accessory", "power": "power", "temperature": "climate",
    "noise": "climate", "values": "output", "flow": "output", "image": "output",
    "output": "output", "screen": "output", "battery": "output", "alarm": "alarm",
}  # fmt: skip
"""What the reporter's tile counts as in the table; all others are `other`."""
SHIFT_HOURS = 8
MOST_REPORTS = 3000
LEAST_REPORTS, LEAST_OF_ALL = 6, 30
RARE = 0.05
CLASSES = (CodeClass.USER, CodeClass.POWER, CodeClass.TECHNICAL)
"""Which class a log counts as when it holds several: the first."""


def using(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Yield what the report, the device's log and the repair say."""
    yield from _symptom(ctx, failure)
    yield from _log(ctx, failure)
    yield _no_fault(ctx, failure)
    yield from _parts(ctx, failure)
    yield from _shift(ctx, failure)


def _symptom(ctx: Context, failure: Failure) -> Iterator[Found]:
    query = select(Request).where(Request.work_order_id == failure.order.id).order_by(Request.id)
    request = ctx.session.scalars(query.limit(1)).first()
    if request is not None:
        level = SYMPTOM_CLASS.get(request.symptom, "other")
        facts = {"symptom": request.symptom, "no": request.no}
        yield Found("symptom", level, facts, f"/requests/{request.no}")


def _log(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell what the device's own log says; silent where it never sends one."""
    mine = DeviceEvent.asset_id == failure.asset.id
    alive = select(func.count(DeviceEvent.id)).where(
        mine, DeviceEvent.at <= failure.at, DeviceEvent.at >= failure.at - LOG_ALIVE
    )
    if not ctx.session.scalar(alive):
        return
    query = (
        select(DeviceEvent)
        .where(mine, DeviceEvent.at <= failure.at, DeviceEvent.at >= failure.at - LOG_WINDOW)
        .order_by(DeviceEvent.at.desc())
        .limit(200)
    )
    lines = list(ctx.session.scalars(query))
    url = f"/assets/{failure.asset.code}/log"
    for wanted in CLASSES:
        some = [line for line in lines if line.code_class is wanted]
        if some:
            facts = {"codes": sorted({line.code for line in some})[:5], "n": len(some)}
            yield Found("device_log", wanted.value, facts, url, tuple(x.at for x in some[:3]))
            return
    yield Found("device_log", "none", {"hours": 24}, url)


def _no_fault(ctx: Context, failure: Failure) -> Found:
    order = failure.order
    if order.cause_code == NO_FAULT:
        return Found("no_fault_found", "now")
    query = (
        select(WorkOrder.no)
        .where(
            WorkOrder.asset_id == failure.asset.id,
            WorkOrder.id != order.id,
            WorkOrder.type == WorkType.CORRECTIVE,
            WorkOrder.cause_code == NO_FAULT,
            WorkOrder.done_at < failure.at,
            WorkOrder.done_at >= failure.at - NO_FAULT_WINDOW,
        )
        .order_by(WorkOrder.done_at.desc())
    )
    no = ctx.session.scalars(query.limit(1)).first()
    if no is None:
        return Found("no_fault_found", "never", {"days": NO_FAULT_WINDOW.days})
    facts = {"no": no, "days": NO_FAULT_WINDOW.days}
    return Found("no_fault_found", "before", facts, f"/work-orders/{no}")


def _parts(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell whether the repair took a part: known once it is finished."""
    if not failure.is_finished:
        return
    own = failure.order.id
    bought = select(func.count(Cost.id)).where(
        Cost.work_order_id == own, Cost.kind == CostKind.PARTS, Cost.amount > 0
    )
    issued = select(func.coalesce(func.sum(StockMove.quantity_milli), 0)).where(
        StockMove.work_order_id == own,
        StockMove.kind.in_([MoveKind.ISSUE, MoveKind.RETURN]),
    )
    is_used = bool(ctx.session.scalar(bought)) or int(ctx.session.scalar(issued) or 0) < 0
    yield Found("parts", "replaced" if is_used else "none")


def _shift(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell whether reports on such equipment in this ward come in one shift more than others do.

    The share of all the hospital's reports in that shift is what is usual: binomial test, one
    side, betainc(k, n - k + 1, p) = P(K >= k).
    """
    query = (
        select(Request.reported_at, Asset.category, Asset.department_id)
        .join(Asset, Asset.id == Request.asset_id)
        .where(Request.reported_at <= failure.at, Request.reported_at > failure.at - YEAR)
        .order_by(Request.reported_at.desc())
        .limit(MOST_REPORTS)
    )
    zone = ZoneInfo(zone_of(ctx))
    rows = [
        (at.astimezone(zone).hour // SHIFT_HOURS, (category, department))
        for at, category, department in ctx.session.execute(query)
    ]
    here = (failure.asset.category, failure.asset.department_id)
    shift = failure.at.astimezone(zone).hour // SHIFT_HOURS
    ours = [s for s, where in rows if where == here]
    others = [s for s, where in rows if where != here]
    if len(ours) < LEAST_REPORTS or len(others) < LEAST_OF_ALL:
        return
    n, k = len(ours), ours.count(shift)
    usual = (others.count(shift) + 1) / (len(others) + 2)
    p = float(betainc(k, n - k + 1, usual)) if k else 1.0
    facts = {"from": shift * SHIFT_HOURS, "to": (shift + 1) * SHIFT_HOURS, "n": n, "k": k,
             "usual": round(usual, 3), "p": round(p, 4)}  # fmt: skip
    yield Found("shift", "one_shift" if p < RARE else "spread", facts)
