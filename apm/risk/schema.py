"""What scores, reviews and decisions must look like, and how the API shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from apm.assets.schema import LONG_NOTE
from apm.core.i18n import _l
from apm.risk.model import Schedule


def _said(text: str) -> None:
    if not text.strip():
        raise ValidationError([_l("Say why.")])


def reason() -> fields.String:
    """Return why, which must be said."""
    return fields.String(
        required=True,
        validate=[_said, validate.Length(max=LONG_NOTE)],
        error_messages={"required": [_l("Say why.")]},
    )


class ScoresIn(Schema):
    """Numbers by input, and why they are what they are."""

    inputs = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True), required=True)
    reason = reason()


class ReasonForm(Schema):
    """A form of scores: the numbers are read one by one."""

    reason = reason()


class AemReviewIn(Schema):
    """By whose schedule a category is maintained."""

    schedule = fields.Enum(Schedule, by_value=True, required=True)
    reason = reason()


class IntervalDecisionIn(Schema):
    """Another interval, approved or rejected."""

    months = fields.Integer(required=True)
    approved = fields.Boolean(required=True)
    reason = reason()


class EstimateOut(Schema):
    """A number with its interval of 95 %."""

    value = fields.Float()
    low = fields.Float()
    high = fields.Float()
    n = fields.Integer()


class CategoryRiskOut(Schema):
    """One category: scores, evidence, proposal."""

    category = fields.String()
    em = fields.Integer()
    em_months = fields.Integer(allow_none=True)
    vermont = fields.Integer()
    vermont_months = fields.Integer(allow_none=True)
    inputs = fields.Dict()
    history = fields.Integer()
    current_months = fields.Integer(allow_none=True)
    suggested_months = fields.Integer(allow_none=True)
    proposal = fields.String(allow_none=True)
    proposed_months = fields.Integer(allow_none=True)
    pm_yield = fields.Nested(EstimateOut, data_key="yield", allow_none=True)
    failures_between = fields.Nested(EstimateOut, allow_none=True)
    schedule = fields.String()
    aem_eligible = fields.Boolean()
    barriers = fields.List(fields.String())


class CategoryRiskList(Schema):
    """All categories that have equipment."""

    items = fields.List(fields.Nested(CategoryRiskOut))
    next = fields.String(allow_none=True)


class AssetRiskOut(Schema):
    """The scores of one asset."""

    em = fields.Integer()
    vermont = fields.Integer()
    months = fields.Integer(allow_none=True)
    inputs = fields.Dict()
    history = fields.Integer()
    own = fields.Dict()
    reason = fields.String(allow_none=True)


class AemReviewOut(Schema):
    """A review as it is kept."""

    category = fields.String()
    schedule = fields.Enum(Schedule, by_value=True)
    reason = fields.String()
    reviewed_by = fields.String()
    reviewed_at = fields.DateTime()
    review_again_on = fields.Date()


class IntervalDecisionOut(Schema):
    """A decision as it is kept, with what it rests on."""

    category = fields.String(attribute="template_code")
    old_months = fields.Integer()
    new_months = fields.Integer()
    approved = fields.Boolean(attribute="is_approved")
    reason = fields.String()
    evidence: Any = fields.Dict()
    decided_by = fields.String()
    decided_at = fields.DateTime()
