"""Work orders as JSON."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.errors import NotFound
from apm.core.http import check_version, context, requires
from apm.core.i18n import _l
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.work import queries
from apm.work.api_schema import (
    NewCost,
    NewWorkOrder,
    WorkOrderOut,
    WorkOrderPage,
    WorkQuery,
    WorkStepOut,
)
from apm.work.commands import open_work
from apm.work.model import WorkOrder, WorkStep
from apm.work.proceeding import proceed
from apm.work.results import Answer, add_cost, answer_steps
from apm.work.schema import AnswerForm, WorkForm
from apm.work.states import OPEN_WORK, CostKind, WorkState

api = Blueprint("work_api", __name__, url_prefix="/api/v1")
Headed = tuple[Any, int, dict[str, str]]


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
    proceed(ctx, no=no, action=action, said=said)
    return _shown_order(no)


@api.put("/work-orders/<no>/results/<step>")
@api.arguments(AnswerForm)
@api.response(200, WorkStepOut)
@requires(Permission.WORK_DO)
def answer(said: dict[str, Any], no: str, step: str) -> WorkStep:
    """Answer one step; the verdict of a measured value is ours."""
    order = answer_steps(context(), no=no, answers={step: Answer(**said)})
    for found in order.steps:
        if found.key == step:
            return found
    raise NotFound(_l("This work order has no such step. Reload the page."))


def _shown_order(no: str, status: int = 200) -> Headed:
    order = queries.work_order(context(), no)
    return order, status, _etag(order)


def _etag(row: WorkOrder) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}
