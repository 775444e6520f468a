"""Requests as the JSON API takes and shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.requests.queries import GROUPS
from apm.requests.satisfaction import By
from apm.requests.schema import CommentForm, HarmForm, TriageForm
from apm.work.api_schema import TicketListQuery


class RequestQuery(TicketListQuery):
    """Which requests."""

    state = fields.List(fields.String(validate=validate.OneOf(GROUPS)), load_default=[])
    adverse = fields.Boolean(
        load_default=False, metadata={"description": "Only suspected adverse events."}
    )


class RequestHarm(HarmForm):
    """A suspicion."""


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
    adverse_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={"description": "Since when an adverse event is suspected."},
    )
    state = fields.String()
    priority = fields.String(metadata={"description": "As proposed when it was reported."})
    priority_reasons = fields.List(fields.String())
    priority_note = fields.String(allow_none=True)
    actions = fields.List(fields.String())
    reporter_name = fields.String(allow_none=True)
    reported_at = fields.AwareDateTime(format="iso")
    note = fields.String(allow_none=True)
    work_order = fields.String(allow_none=True)
    duplicate_of = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True)
    verified_at = fields.AwareDateTime(format="iso", allow_none=True)
    verified_by_silence = fields.Boolean(
        metadata={"description": "Confirmed because nobody said anything in time."}
    )
    version = fields.Integer()
    link = fields.String(metadata={"description": "Where its reporter follows it; once."})


class RequestPage(Schema):
    """Some requests."""

    items = fields.List(fields.Nested(RequestOut))
    next = fields.String(allow_none=True)


class SatisfactionArgs(Schema):
    """Whole months by their first and last day, both over; what ratings are grouped by."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    by = fields.String(load_default="team", validate=validate.OneOf([by.value for by in By]))


class RatingsOut(Schema):
    """One group; without figures where `status` is `too_few` or `withheld`."""

    key = fields.String(allow_none=True)
    name = fields.String()
    status = fields.String()
    n = fields.Integer(allow_none=True)
    mean = fields.Float(allow_none=True)
    share = fields.Float(allow_none=True, metadata={"description": "Of 4 and 5 stars."})
    interval = fields.List(fields.Float(), allow_none=True)


class SatisfactionOut(Schema):
    """How content reporters are."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    by = fields.String()
    formula = fields.String()
    total = fields.Nested(RatingsOut)
    items = fields.List(fields.Nested(RatingsOut))
    silent = fields.Integer()
    reworked = fields.Integer()
    next = fields.String(allow_none=True)
