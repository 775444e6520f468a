"""Work orders as JSON."""

from __future__ import annotations

from typing import Any

from flask import request

import apm.work.field_api  # noqa: F401  (registers what is sent from the place of work)
from apm.accounts.identity import signed_in_at
from apm.assets.queries import asset_by_code
from apm.core.http import check_version, context, requires
from apm.core.permissions import Permission
from apm.work import queries
from apm.work.api_schema import (
    NewCost,
    NewWorkOrder,
    WorkOrderOut,
    WorkOrderPage,
    WorkQuery,
)
from apm.work.blueprint import Headed, api, sent_of
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.proceeding import proceed
from apm.work.results import add_cost
from apm.work.schema import WorkForm
from apm.work.states import OPEN_WORK, CostKind, WorkState

__all__ = ["api"]


@api.get("/work-orders")
@api.arguments(WorkQuery, location="query")
@api.response(200, WorkOrderPage)
@requires(Permission.WORK_READ)
def list_work(wanted: dict[str, Any]) -> Any:
    """Work orders, newest first."""
    states = {WorkState(s) for s in wanted["state"] if s != "open"}
    if "open" in wanted["state"]:
        states |= OPEN_WORK
    fits = queries.WorkFilter(
        states=frozenset(states),
        types=frozenset(wanted["type"]),
        asset=wanted["asset"],
        assignee=wanted["assignee"],
        team=wanted["team"],
    )
    return queries.work_page(context(), fits, after=wanted["after"], limit=wanted["limit"])


@api.post("/work-orders")
@api.arguments(NewWorkOrder)
@api.response(201, WorkOrderOut)
@requires(Permission.WORK_CREATE)
def open_order(said: dict[str, Any]) -> Headed:
    """Open a work order; with an `origin` that has one already, that one is answered."""
    ctx = context()
    made = open_work(ctx, **{**said, "asset": asset_by_code(ctx, said["asset"])})
    return _shown_order(made.no, 201)


@api.get("/work-orders/<no>")
@api.response(200, WorkOrderOut)
@requires(Permission.WORK_READ)
def one_order(no: str) -> Headed:
    """One work order with its steps."""
    return _shown_order(no)


@api.post("/work-orders/<no>/costs")
@api.arguments(NewCost)
@api.response(201, WorkOrderOut)
@requires(Permission.WORK_READ)
def cost(said: dict[str, Any], no: str) -> Headed:
    """Note money spent."""
    add_cost(
        context(), no=no, kind=CostKind(said["kind"]), amount=said["amount"], note=said["note"]
    )
    return _shown_order(no, 201)


@api.post("/work-orders/<no>/<action>")
@api.arguments(WorkForm)
@api.response(200, WorkOrderOut)
@requires(Permission.WORK_READ)
def move_order(said: dict[str, Any], no: str, action: str) -> Headed:
    """Take a step of a work order: one of its `actions`.  Signing needs a person's session."""
    ctx = context()
    check_version(queries.work_order(ctx, no).version)
    began = signed_in_at(request, ctx)
    proceed(ctx, no=no, action=action, said=said, sent=sent_of(said), signed_in_at=began)
    return _shown_order(no)


def _shown_order(no: str, status: int = 200) -> Headed:
    order = queries.work_order(context(), no)
    return order, status, _etag(order)


def _etag(row: WorkOrder) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}
