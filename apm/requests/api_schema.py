"""Requests as the JSON API takes and shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.requests.queries import GROUPS
from apm.requests.schema import CommentForm, TriageForm
from apm.work.api_schema import TicketListQuery


class RequestQuery(TicketListQuery):
    """Which requests."""

    state = fields.List(fields.String(validate=validate.OneOf(GROUPS)), load_default=[])


class RequestAction(TriageForm):
    """What is said with a step of a request."""


class RequestComment(CommentForm):
    """A message on a request."""


class RequestOut(Schema):
    """A repair request."""

    no = fields.String()
    asset = fields.String()
    symptom = fields.String()
    description = fields.String(allow_none=True)
    patient_involved = fields.Boolean()
    state = fields.String()
    priority = fields.String()
    actions = fields.List(fields.String())
    reporter_name = fields.String(allow_none=True)
    reported_at = fields.AwareDateTime(format="iso")
    note = fields.String(allow_none=True)
    work_order = fields.String(allow_none=True)
    duplicate_of = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True)
    version = fields.Integer()
    link = fields.String(metadata={"description": "Where its reporter follows it; once."})


class RequestPage(Schema):
    """Some requests."""

    items = fields.List(fields.Nested(RequestOut))
    next = fields.String(allow_none=True)
