"""What connections and points must look like, and what the API answers of them."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates

from apm.collecting.model import Protocol
from apm.core.i18n import _l

PERIOD = validate.Range(0.1, 86_400)


class ConnectionForm(Schema):
    """What every connection has; the rest is the protocol's (`collecting.entries`)."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=80))
    period_s = fields.Float(load_default=10.0, validate=PERIOD)
    max_skew_s = fields.Float(load_default=30.0, validate=validate.Range(0.1, 86_400))


class ConnectionIn(ConnectionForm):
    """A connection to add."""

    protocol = fields.Enum(Protocol, by_value=True, required=True)
    config = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "address and settings of the protocol; see docs/devices.md"},
    )
    secret = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={"description": "password or key; never answered"},
    )


class ConnectionChange(Schema):
    """What changes; the rest stays. A secret is kept unless a new one is given."""

    name = fields.String(validate=validate.Length(min=1, max=80))
    period_s = fields.Float(validate=PERIOD)
    max_skew_s = fields.Float(validate=validate.Range(0.1, 86_400))
    config = fields.Dict(keys=fields.String())
    secret = fields.Dict(keys=fields.String(), load_default=dict)
    enabled = fields.Boolean()


class PointForm(Schema):
    """What every point has; the rest is the protocol's."""

    sensor = fields.String(required=True, validate=validate.Length(min=1, max=64))
    scale = fields.Float(load_default=1.0, validate=validate.Range(-1e12, 1e12))
    offset = fields.Float(load_default=0.0, validate=validate.Range(-1e12, 1e12))
    unit = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=20))

    @validates("scale")
    def _is_no_zero(self, scale: float, **_options: object) -> None:
        if scale == 0:
            raise ValidationError([_l("With a scale of 0 every value would be the same.")])


class PointIn(PointForm):
    """A point to add."""

    config = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "register, topic, node or JSON pointer; see docs/devices.md"},
    )


class PointOut(Schema):
    """A point."""

    id = fields.Integer(required=True)
    sensor = fields.String(required=True, attribute="sensor.code")
    config = fields.Dict(required=True)
    scale = fields.Float(required=True)
    offset = fields.Float(required=True)
    unit = fields.String(allow_none=True)


class ConnectionBrief(Schema):
    """A connection and how it fares; its secret is never answered."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    protocol = fields.Enum(Protocol, by_value=True, required=True)
    config = fields.Dict(required=True)
    has_secret = fields.Function(lambda one: bool(one.secret), required=True)
    period_s = fields.Float(required=True)
    max_skew_s = fields.Float(required=True)
    enabled = fields.Boolean(required=True, attribute="is_enabled")
    state = fields.String(required=True, attribute="link.state")
    error = fields.String(allow_none=True, attribute="link.error")
    last_at = fields.AwareDateTime(allow_none=True, attribute="link.last_at")
    skew_s = fields.Float(allow_none=True, attribute="link.skew_s")
    received = fields.Integer(attribute="link.received")
    refused = fields.Integer(attribute="link.refused")
    waiting_on_disk = fields.Integer(attribute="link.spooled")


class ConnectionOut(ConnectionBrief):
    """A connection with its points."""

    points = fields.List(fields.Nested(PointOut), required=True)


class ConnectionPage(Schema):
    """A page of connections."""

    items = fields.List(fields.Nested(ConnectionBrief), required=True)
    next = fields.String(allow_none=True, required=True)


class ConnectionsWanted(Schema):
    """Which page of the list."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class SampleOut(Schema):
    """What a test of a connection found at one place."""

    what = fields.String(required=True)
    value = fields.Float(allow_none=True)
    at = fields.AwareDateTime(allow_none=True)
    problem = fields.String()


class TestOut(Schema):
    """How a test went."""

    works = fields.Boolean(required=True)
    error = fields.String(allow_none=True)
    samples = fields.List(fields.Nested(SampleOut), required=True)
