"""Risk and intervals as JSON."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.risk import commands, queries
from apm.risk.model import AemReview, IntervalDecision, Schedule
from apm.risk.queries import Assessment, AssetRisk
from apm.risk.schema import (
    AemReviewIn,
    AemReviewOut,
    AssetRiskOut,
    CategoryRiskList,
    CategoryRiskOut,
    IntervalDecisionIn,
    IntervalDecisionOut,
    ScoresIn,
)

READ, EDIT = Permission.PLAN_READ, Permission.PLAN_EDIT
api = Blueprint("risk_api", __name__, url_prefix="/api/v1", description="Risk and intervals")


@api.get("/risk/categories")
@api.response(200, CategoryRiskList)
@requires(READ)
def categories() -> dict[str, Any]:
    """List the categories that have equipment, the highest EM number first."""
    return {"items": [_category(one) for one in queries.assessments(context())], "next": None}


@api.get("/risk/categories/<category>")
@api.response(200, CategoryRiskOut)
@requires(READ)
def category_risk(category: str) -> dict[str, Any]:
    """Return one category."""
    return _category(queries.assessment_of(context(), category))


@api.put("/risk/categories/<category>")
@api.arguments(ScoresIn)
@api.response(200, CategoryRiskOut)
@requires(EDIT)
def score_category(body: dict[str, Any], category: str) -> dict[str, Any]:
    """Enter a category's scores."""
    ctx = context()
    commands.score_category(ctx, category=category, **body)
    return _category(queries.assessment_of(ctx, category))


@api.post("/risk/categories/<category>/reviews")
@api.arguments(AemReviewIn)
@api.response(201, AemReviewOut)
@requires(EDIT)
def review(body: dict[str, Any], category: str) -> AemReview:
    """Say by whose schedule a category is maintained."""
    return commands.review_schedule(context(), category=category, **body)


@api.post("/risk/categories/<category>/decisions")
@api.arguments(IntervalDecisionIn)
@api.response(201, IntervalDecisionOut)
@requires(EDIT)
def decide(body: dict[str, Any], category: str) -> IntervalDecision:
    """Approve or reject another interval."""
    return commands.decide_interval(
        context(),
        category=category,
        months=body["months"],
        is_approved=body["approved"],
        reason=body["reason"],
    )


@api.get("/assets/<code>/risk")
@api.response(200, AssetRiskOut)
@requires(READ)
def asset_risk(code: str) -> dict[str, Any]:
    """Return the scores of one asset."""
    ctx = context()
    return _asset(queries.risk_of(ctx, asset_by_code(ctx, code)))


@api.put("/assets/<code>/risk")
@api.arguments(ScoresIn)
@api.response(200, AssetRiskOut)
@requires(EDIT)
def score_asset(body: dict[str, Any], code: str) -> dict[str, Any]:
    """Enter what differs for one asset; nothing that differs ends the exception."""
    ctx = context()
    commands.score_asset(ctx, asset=code, **body)
    return _asset(queries.risk_of(ctx, asset_by_code(ctx, code)))


def _asset(risk: AssetRisk) -> dict[str, Any]:
    found = risk.inputs
    return {
        "em": found.em.total,
        "vermont": found.vermont.total,
        "months": found.months,
        "inputs": found.values,
        "history": found.history,
        "own": risk.own.inputs if risk.own else {},
        "reason": risk.own.reason if risk.own else None,
    }


def _category(one: Assessment) -> dict[str, Any]:
    proposal = one.proposal
    return {
        "category": one.category.code,
        "em": one.inputs.em.total,
        "em_months": one.inputs.em.months,
        "vermont": one.inputs.vermont.total,
        "vermont_months": one.inputs.vermont.months,
        "inputs": one.inputs.values,
        "history": one.inputs.history,
        "current_months": one.current,
        "suggested_months": one.suggested,
        "proposal": proposal.change.value if proposal else None,
        "proposed_months": proposal.months if proposal else None,
        "pm_yield": one.evidence.yielded,
        "failures_between": one.evidence.failures_each(one.current) if one.current else None,
        "schedule": one.review.schedule.value if one.review else Schedule.OEM.value,
        "aem_eligible": not one.barriers,
        "barriers": [str(text) for text in one.barriers],
    }
