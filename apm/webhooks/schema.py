"""What the API of webhooks takes and answers."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.webhooks.kinds import KINDS


class WebhookIn(Schema):
    """A webhook to add."""

    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=1000),
        metadata={"description": "http or https; without user and password"},
    )
    events = fields.List(
        fields.String(validate=validate.OneOf(list(KINDS))),
        required=True,
        validate=validate.Length(min=1, max=len(KINDS)),
    )


class WebhookOut(Schema):
    """A webhook; its secret is answered once, when it is made."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "address without its query"})
    events = fields.List(fields.String(), required=True)
    active = fields.Boolean(required=True)
    failing_since = fields.AwareDateTime(allow_none=True)
    last_ok_at = fields.AwareDateTime(allow_none=True)
    last_error = fields.String(allow_none=True)


class NewWebhook(WebhookOut):
    """A webhook as it is answered once."""

    secret = fields.String(required=True)


class WebhookArgs(Schema):
    """Which page of the list."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class WebhookList(Schema):
    """A page of webhooks."""

    items = fields.List(fields.Nested(WebhookOut), required=True)
    next = fields.String(allow_none=True, required=True)
