"""Requests and work orders as JSON."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.codes import new_token
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.http import check_version, context, requires
from apm.core.i18n import _l
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.tickets import queries, reporting
from apm.tickets import request_queries as requests_
from apm.tickets.api_schema import (
    NewCost,
    NewWorkOrder,
    RequestAction,
    RequestComment,
    RequestOut,
    RequestPage,
    RequestQuery,
    WorkOrderOut,
    WorkOrderPage,
    WorkQuery,
    WorkStepOut,
)
from apm.tickets.commands import open_work
from apm.tickets.deciding import decide, proceed
from apm.tickets.lifecycle import request_actions
from apm.tickets.model import Request, WorkOrder, WorkStep
from apm.tickets.results import Answer, add_cost, answer_steps
from apm.tickets.schema import AnswerForm, ReportForm, WorkForm
from apm.tickets.states import OPEN_WORK, CostKind, WorkState
from apm.tickets.urgency import priority_of

api = Blueprint("tickets_api", __name__, url_prefix="/api/v1")
Headed = tuple[Any, int, dict[str, str]]


@api.post("/assets/<code>/requests")
@api.arguments(ReportForm)
@api.response(201, RequestOut)
@requires(Permission.REQUEST_REPORT)
def report(said: dict[str, Any], code: str) -> Headed:
    """Report a fault; `link` is where its reporter follows it, told only now."""
    ctx = context()
    token = new_token()
    # A repeat with the same Idempotency-Key never comes here: it is answered from what was kept.
    sent = reporting.Sent(client_key=new_token(), token=token)
    made = reporting.report_fault(ctx, asset_code=code, report=reporting.Report(**said), sent=sent)
    shown = {**_request_out(ctx, requests_.request_by_no(ctx, made.no)), "link": f"/r/{token}"}
    return shown, 201, _etag(made)


@api.get("/requests")
@api.arguments(RequestQuery, location="query")
@api.response(200, RequestPage)
@requires(Permission.REQUEST_READ)
def list_requests(wanted: dict[str, Any]) -> dict[str, Any]:
    """Requests, newest first."""
    ctx = context()
    groups = requests_.RequestFilter(frozenset(wanted["state"]))
    page = requests_.request_page(ctx, groups, after=wanted["after"], limit=wanted["limit"])
    return {"items": [_request_out(ctx, found) for found in page.items], "next": page.next}


@api.get("/requests/<no>")
@api.response(200, RequestOut)
@requires(Permission.REQUEST_READ)
def one_request(no: str) -> Headed:
    """One request."""
    return _shown_request(no)


@api.post("/requests/<no>/comment")
@api.arguments(RequestComment)
@api.response(200, RequestOut)
@requires(Permission.REQUEST_REPORT)
def comment(said: dict[str, Any], no: str) -> Headed:
    """Write to the reporter, or to the equipment department."""
    reporting.add_comment(context(), no=no, text=said["text"])
    return _shown_request(no)


@api.post("/requests/<no>/<action>")
@api.arguments(RequestAction)
@api.response(200, RequestOut)
@requires(Permission.REQUEST_READ)
def move_request(said: dict[str, Any], no: str, action: str) -> Headed:
    """Take a step of a request: one of its `actions`."""
    ctx = context()
    check_version(requests_.request_by_no(ctx, no).version)
    decide(ctx, no=no, action=action, said=said)
    return _shown_request(no)


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


def _shown_request(no: str) -> Headed:
    ctx = context()
    found = requests_.request_by_no(ctx, no)
    return _request_out(ctx, found), 200, _etag(found)


def _etag(row: WorkOrder | Request) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}


def _request_out(ctx: Context, found: Request) -> dict[str, Any]:
    return {
        "no": found.no,
        "asset": found.asset.code,
        "symptom": found.symptom,
        "description": found.description,
        "patient_involved": found.patient_involved,
        "state": found.state.value,
        "priority": priority_of(found).value,
        "actions": request_actions(ctx.actor, found),
        "reporter_name": found.reporter_name,
        "reported_at": found.reported_at,
        "note": found.triage_note,
        "work_order": found.work_order.no if found.work_order else None,
        "duplicate_of": found.duplicate_of.no if found.duplicate_of else None,
        "rating": found.rating,
        "version": found.version,
    }
