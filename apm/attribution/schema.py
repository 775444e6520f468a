"""What is said about a cause, and how the API shows it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.attribution.model import CodeClass
from apm.core.i18n import _l
from apm.readings.schema import Instant
from predict.cause_table import Cause

LONG = validate.Length(max=2000)
SEVERITIES = ("info", "warning", "error")
MOST_LINES = 5000


class CauseIn(Schema):
    """The cause an engineer confirms or puts in the place of the proposed one."""

    cause = fields.Enum(
        Cause,
        by_value=True,
        required=True,
        error_messages={"required": [_l("Choose a cause.")], "unknown": _l("Choose a cause.")},
    )
    reason = fields.String(load_default=None, allow_none=True, validate=LONG)
    code = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=20),
        metadata={"description": "A failure code that goes with it; left out: the usual one."},
    )


class PieceOut(Schema):
    """One piece of evidence: what was seen, and what it did to the odds of each cause."""

    kind = fields.String()
    level = fields.String()
    text = fields.String()
    weight = fields.String(metadata={"description": "How much it says, in words."})
    speaks_for = fields.Enum(Cause, by_value=True, allow_none=True)
    speaks_against = fields.Enum(Cause, by_value=True, allow_none=True)
    factor = fields.Float(metadata={"description": "Times the odds of that cause."})
    log_odds = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        metadata={"description": "By cause, against undetermined; natural logarithm."},
    )
    facts = fields.Dict()
    url = fields.String()


class ChangeOut(Schema):
    """What would lead to another proposal; without a level: were it not there."""

    kind = fields.String()
    level = fields.String(allow_none=True)
    cause = fields.Enum(Cause, by_value=True)
    probability = fields.Float()


class DecisionOut(Schema):
    """What somebody decided."""

    cause = fields.Enum(Cause, by_value=True)
    code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    proposed = fields.Enum(Cause, by_value=True)
    probability = fields.Float()
    is_addendum = fields.Boolean()
    decided_by = fields.String()
    decided_at = fields.AwareDateTime()


class CauseOut(Schema):
    """The proposed cause of a failure, what it rests on, and what was decided."""

    no = fields.String()
    failed_at = fields.AwareDateTime()
    proposed = fields.Enum(Cause, by_value=True)
    probability = fields.Float(
        metadata={"description": "Of the proposed cause; of the likeliest when undetermined."}
    )
    likeliest = fields.Enum(Cause, by_value=True)
    posterior = fields.Dict(keys=fields.String(), values=fields.Float())
    coverage = fields.Float(metadata={"description": "Share of the table that could be seen."})
    table_version = fields.String()
    prior = fields.Dict(keys=fields.String(), values=fields.Float())
    prior_n = fields.Integer(metadata={"description": "Confirmed cases behind the prior."})
    frozen_at = fields.AwareDateTime(allow_none=True)
    pieces = fields.List(fields.Nested(PieceOut))
    changes = fields.List(fields.Nested(ChangeOut))
    confirmed = fields.Enum(Cause, by_value=True, allow_none=True)
    decisions = fields.List(fields.Nested(DecisionOut))


class LogLineIn(Schema):
    """One line of a device's log."""

    asset = fields.String(
        required=True,
        validate=validate.Length(min=1, max=80),
        metadata={"description": "The public code of the equipment, or its asset number."},
    )
    at = Instant(format="iso", required=True)
    code = fields.String(required=True, validate=validate.Length(min=1, max=60))
    severity = fields.String(load_default="error", validate=validate.OneOf(SEVERITIES))
    text = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class LogIn(Schema):
    """Lines of the logs of devices."""

    lines = fields.List(
        fields.Nested(LogLineIn),
        required=True,
        validate=validate.Length(min=1, max=MOST_LINES),
    )


class LogOut(Schema):
    """How many lines were stored; those stored before count as known."""

    stored = fields.Integer()
    known = fields.Integer()


class LogLineOut(Schema):
    """One stored line."""

    at = fields.AwareDateTime()
    code = fields.String()
    severity = fields.String()
    text = fields.String(allow_none=True)
    code_class = fields.Enum(CodeClass, by_value=True, allow_none=True)
    source = fields.String()
