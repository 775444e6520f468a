"""The pages of risk: all categories, one category, one asset."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.model import Asset
from apm.assets.queries import asset_by_code
from apm.core.errors import DomainError
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.risk import commands, panels, queries
from apm.risk.model import Schedule
from apm.risk.schema import AemReviewIn, IntervalDecisionIn, ReasonForm
from apm.risk.scores import EM, HISTORY, VERMONT, inputs

READ, EDIT = Permission.PLAN_READ, Permission.PLAN_EDIT
web = Blueprint("risk", __name__)
PANELS = (panels.risk_panel,)
"""Registered with the asset page by being imported here."""


@web.get("/risk")
@requires(READ)
def overview() -> ResponseReturnValue:
    """Every category that has equipment: scores, yield, what the evidence speaks for."""
    return render_template("risk/overview.html", found=queries.assessments(context()))


@web.get("/risk/categories/<category>")
@requires(READ)
def category_page(category: str) -> ResponseReturnValue:
    """One category."""
    return _category(category)


@web.post("/risk/categories/<category>/scores")
@requires(EDIT)
def score_category(category: str) -> ResponseReturnValue:
    """Enter its scores."""
    code = queries.category_or_404(category).code
    form = load(ReasonForm(), request.form)
    if form.data is None:
        return _category(code, {"scores": form}, 422)
    try:
        commands.score_category(context(), category=code, inputs=_numbers(), **form.data)
    except DomainError as error:
        return _category(code, {"scores": _refused(error)}, error.status)
    flash(_("The scores are recorded."), "success")
    return redirect(url_for("risk.category_page", category=code), 303)


@web.post("/risk/categories/<category>/review")
@requires(EDIT)
def review(category: str) -> ResponseReturnValue:
    """Say by whose schedule it is maintained."""
    code = queries.category_or_404(category).code
    form = load(AemReviewIn(), request.form)
    if form.data is None:
        return _category(code, {"review": form}, 422)
    try:
        commands.review_schedule(context(), category=code, **form.data)
    except DomainError as error:
        return _category(code, {"review": _refused(error)}, error.status)
    flash(_("The review is recorded."), "success")
    return redirect(url_for("risk.category_page", category=code), 303)


@web.post("/risk/categories/<category>/decision")
@requires(EDIT)
def decide(category: str) -> ResponseReturnValue:
    """Approve or reject another interval."""
    code = queries.category_or_404(category).code
    form = load(IntervalDecisionIn(), request.form)
    if form.data is None:
        return _category(code, {"decision": form}, 422)
    said = form.data
    try:
        commands.decide_interval(
            context(),
            category=code,
            months=said["months"],
            is_approved=said["approved"],
            reason=said["reason"],
        )
    except DomainError as error:
        return _category(code, {"decision": _refused(error)}, error.status)
    flash(_("The decision is recorded. Change the plans it is about."), "success")
    return redirect(url_for("risk.category_page", category=code), 303)


@web.get("/risk/assets/<code>")
@requires(READ)
def asset_page(code: str) -> ResponseReturnValue:
    """One asset."""
    return _asset(asset_by_code(context(), code))


@web.post("/risk/assets/<code>")
@requires(EDIT)
def score_asset(code: str) -> ResponseReturnValue:
    """Enter what differs for one asset, and why."""
    asset = asset_by_code(context(), code)
    form = load(ReasonForm(), request.form)
    if form.data is None:
        return _asset(asset, form, 422)
    try:
        commands.score_asset(context(), asset=code, inputs=_numbers(), **form.data)
    except DomainError as error:
        return _asset(asset_by_code(context(), code), _refused(error), error.status)
    flash(_("The scores are recorded."), "success")
    return redirect(url_for("risk.asset_page", code=asset.code), 303)


def _numbers() -> dict[str, int]:
    """Return the numbers of a form of scores; what is left out, or no number, is not entered."""
    read = {key: _number(request.form.get(key)) for key in inputs()}
    return {key: value for key, value in read.items() if value is not None}


def _number(text: str | None) -> int | None:
    if text and text.startswith("-"):
        found = whole_number(text[1:])
        return None if found is None else -found
    return whole_number(text)


def _refused(error: DomainError) -> Form:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, fields or {"_schema": [str(error)]}, request.form)


def _category(
    category: str, forms: Mapping[str, Form] | None = None, status: int = 200
) -> ResponseReturnValue:
    ctx = context()
    known = queries.assessment_of(ctx, category)
    return render_template(
        "risk/category.html",
        known=known,
        inputs=inputs(),
        groups=((EM, HISTORY), (VERMONT, None)),
        forms=forms or {},
        schedules=list(Schedule),
        reviews=queries.reviews_of(ctx, known.category.code),
        decisions=queries.decisions_of(ctx, known.category.code),
        overrides=queries.overrides_in(ctx, known.category.code),
    ), status


def _asset(asset: Asset, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    return render_template(
        "risk/asset.html",
        asset=asset,
        risk=queries.risk_of(ctx, asset),
        inputs=inputs(),
        form=form,
    ), status
