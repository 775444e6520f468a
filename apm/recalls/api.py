"""Recalls and safety notices as JSON."""

from __future__ import annotations

from typing import Any

from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.recalls import commands, queries
from apm.recalls.model import RecallCase, SafetyNotice
from apm.recalls.queries import Counts
from apm.recalls.schema import (
    CaseArgs,
    CaseList,
    CaseOut,
    DecisionIn,
    NoticeArgs,
    NoticeIn,
    NoticeList,
    NoticeOut,
    OrdersOut,
)

READ, EDIT = Permission.RECALL_READ, Permission.RECALL_EDIT
api = Blueprint("recalls_api", __name__, url_prefix="/api/v1", description="Recalls")
COLUMNS = tuple(name for name in NoticeOut().fields if name not in {"affected", "to_check"})


@api.get("/recalls")
@api.arguments(NoticeArgs, location="query")
@api.response(200, NoticeList)
@requires(READ)
def notices(args: dict[str, Any]) -> dict[str, Any]:
    """List the notices, the newest first."""
    ctx = context()
    page = queries.notice_page(ctx, **args)
    counts = queries.counts_of(ctx, page.items)
    return {"items": [_notice(one, counts[one.id]) for one in page.items], "next": page.next}


@api.post("/recalls")
@api.arguments(NoticeIn)
@api.response(201, NoticeOut)
@requires(EDIT)
def add(body: dict[str, Any]) -> dict[str, Any]:
    """Enter a notice; which equipment it touches is known at once."""
    ctx = context()
    return _counted(commands.add_notice(ctx, details=body))


@api.get("/recalls/<int:notice_id>")
@api.response(200, NoticeOut)
@requires(READ)
def one_notice(notice_id: int) -> dict[str, Any]:
    """Return one notice."""
    return _counted(queries.notice_by_id(context(), notice_id))


@api.put("/recalls/<int:notice_id>")
@api.arguments(NoticeIn)
@api.response(200, NoticeOut)
@requires(EDIT)
def change(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Correct a notice, and look for its equipment again."""
    return _counted(commands.change_notice(context(), notice_id=notice_id, details=body))


@api.get("/recalls/<int:notice_id>/assets")
@api.arguments(CaseArgs, location="query")
@api.response(200, CaseList)
@requires(READ)
def affected(args: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """List the equipment a notice touches."""
    ctx = context()
    notice = queries.notice_by_id(ctx, notice_id)
    page = queries.case_page(ctx, notice, **args)
    return {"items": [_case(notice, case) for case in page.items], "next": page.next}


@api.put("/recalls/<int:notice_id>/assets/<code>")
@api.arguments(DecisionIn)
@api.response(200, CaseOut)
@requires(EDIT)
def decide(body: dict[str, Any], notice_id: int, code: str) -> dict[str, Any]:
    """Say what became of one asset."""
    ctx = context()
    case = commands.decide(ctx, notice_id=notice_id, asset=code, **body)
    return _case(queries.notice_by_id(ctx, notice_id), case)


@api.post("/recalls/<int:notice_id>/orders")
@api.response(201, OrdersOut)
@requires(EDIT)
def open_orders(notice_id: int) -> dict[str, Any]:
    """Open an inspection for each asset that is to be checked and has none."""
    made = commands.open_orders(context(), notice_id=notice_id)
    return {"work_orders": [order.no for order in made]}


@api.post("/recalls/<int:notice_id>/close")
@api.response(200, NoticeOut)
@requires(EDIT)
def close(notice_id: int) -> dict[str, Any]:
    """Close a notice; nothing may be left to check."""
    return _counted(commands.close_notice(context(), notice_id=notice_id))


def _counted(notice: SafetyNotice) -> dict[str, Any]:
    return _notice(notice, queries.counts_of(context(), [notice])[notice.id])


def _notice(notice: SafetyNotice, counts: Counts) -> dict[str, Any]:
    shown = {name: getattr(notice, name) for name in COLUMNS}
    return {**shown, "affected": counts.total, "to_check": counts.to_check}


def _case(notice: SafetyNotice, case: RecallCase) -> dict[str, Any]:
    asset = case.asset
    return {
        "asset": asset.code,
        "number": asset.number,
        "serial": asset.serial,
        "lot": asset.lot,
        "state": case.state,
        "unsure": queries.scope_of(notice).is_unsure(asset.model, asset.lot, asset.serial),
        "note": case.note,
        "decided_by": case.decided_by,
        "decided_at": case.decided_at,
        "work_order": case.work_order.no if case.work_order else None,
    }
