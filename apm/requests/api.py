"""Requests as JSON."""

from __future__ import annotations

from typing import Any

from apm.core.codes import new_token
from apm.core.command import Context
from apm.core.http import check_version, context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.requests import harm, queries, reporting
from apm.requests.api_schema import (
    RequestAction,
    RequestComment,
    RequestHarm,
    RequestOut,
    RequestPage,
    RequestQuery,
    SatisfactionArgs,
    SatisfactionOut,
)
from apm.requests.deciding import decide
from apm.requests.lifecycle import request_actions
from apm.requests.model import Request
from apm.requests.satisfaction import FORMULA, By, days_wanted, satisfaction
from apm.requests.schema import ReportForm
from apm.requests.urgency import priority_of, reasons_of

api = Blueprint("requests_api", __name__, url_prefix="/api/v1")
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
    shown = {**_request_out(ctx, queries.request_by_no(ctx, made.no)), "link": f"/r/{token}"}
    return shown, 201, _etag(made)


@api.get("/requests")
@api.arguments(RequestQuery, location="query")
@api.response(200, RequestPage)
@requires(Permission.REQUEST_READ)
def list_requests(wanted: dict[str, Any]) -> dict[str, Any]:
    """Requests, newest first."""
    ctx = context()
    groups = queries.RequestFilter(frozenset(wanted["state"]), is_adverse=wanted["adverse"])
    page = queries.request_page(ctx, groups, after=wanted["after"], limit=wanted["limit"])
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


@api.post("/requests/<no>/harm")
@api.arguments(RequestHarm)
@api.response(200, RequestOut)
@requires(Permission.REQUEST_REPORT)
def suspect_harm(said: dict[str, Any], no: str) -> Headed:
    """Mark that somebody may have been harmed, or take that back with a reason."""
    harm.suspect_harm(context(), no=no, is_suspected=said["suspected"], reason=said["reason"])
    return _shown_request(no)


@api.post("/requests/<no>/quarantine")
@api.response(200, RequestOut)
@requires(Permission.REQUEST_TRIAGE)
def quarantine(no: str) -> Headed:
    """Put the reported asset aside as it is."""
    harm.quarantine(context(), no=no)
    return _shown_request(no)


@api.post("/requests/<no>/<action>")
@api.arguments(RequestAction)
@api.response(200, RequestOut)
@requires(Permission.REQUEST_READ)
def move_request(said: dict[str, Any], no: str, action: str) -> Headed:
    """Take a step of a request: one of its `actions`."""
    ctx = context()
    check_version(queries.request_by_no(ctx, no).version)
    decide(ctx, no=no, action=action, said=said)
    return _shown_request(no)


def _shown_request(no: str) -> Headed:
    ctx = context()
    found = queries.request_by_no(ctx, no)
    return _request_out(ctx, found), 200, _etag(found)


def _etag(row: Request) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}


def _request_out(ctx: Context, found: Request) -> dict[str, Any]:
    return {
        "no": found.no,
        "asset": found.asset.code,
        "symptom": found.symptom,
        "description": found.description,
        "patient_involved": found.patient_involved,
        "adverse_at": found.adverse_at,
        "state": found.state.value,
        "priority": priority_of(found).value,
        "priority_reasons": [str(reason) for reason in reasons_of(found)],
        "priority_note": found.priority_note,
        "actions": request_actions(ctx.actor, found),
        "reporter_name": found.reporter_name,
        "reported_at": found.reported_at,
        "note": found.triage_note,
        "work_order": found.work_order.no if found.work_order else None,
        "duplicate_of": found.duplicate_of.no if found.duplicate_of else None,
        "rating": found.rating,
        "verified_at": found.verified_at,
        "verified_by_silence": found.verified_by_silence,
        "version": found.version,
    }


@api.get("/analytics/satisfaction")
@api.arguments(SatisfactionArgs, location="query")
@api.response(200, SatisfactionOut)
@requires(Permission.ANALYTICS_READ)
def how_content(args: dict[str, Any]) -> dict[str, Any]:
    """How content reporters are, in groups of at least five ratings; never by person."""
    ctx = context()
    days = days_wanted(ctx, args.get("first"), args.get("last"))
    found = satisfaction(ctx, by=By(args["by"]), days=days)
    return {
        "first": days.first, "last": days.last, "by": found.by.value, "formula": str(FORMULA),
        "total": found.total, "items": found.lines, "silent": found.silent,
        "reworked": found.reworked, "next": None,
    }  # fmt: skip
