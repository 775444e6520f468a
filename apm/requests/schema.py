"""What forms and JSON of requests must look like."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.core.i18n import _l
from apm.requests.symptoms import SYMPTOMS
from apm.work.schema import LONG, NEEDED, SHORT
from apm.work.states import Priority

NONCE = validate.Length(min=8, max=64)


class ReportForm(Schema):
    """A fault, as a nurse reports it."""

    symptom = fields.String(
        required=True,
        validate=validate.OneOf(SYMPTOMS, error=_l("Choose what is wrong.")),
        error_messages={"required": [_l("Choose what is wrong.")]},
    )
    description = fields.String(load_default=None, allow_none=True, validate=LONG)
    patient_involved = fields.Boolean(load_default=False)
    adverse_event = fields.Boolean(
        load_default=False, metadata={"description": "Somebody may have been harmed."}
    )
    waited_s = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 30 * 86_400),
        metadata={"description": "How long it lay on a phone without a network, in seconds."},
    )
    reporter_name = fields.String(load_default=None, allow_none=True, validate=SHORT)
    reporter_contact = fields.String(load_default=None, allow_none=True, validate=SHORT)


class JoinForm(Schema):
    """More about a fault that is known already."""

    no = fields.String(required=True, validate=SHORT)
    text = fields.String(load_default=None, validate=LONG)
    patient_involved = fields.Boolean(load_default=False)
    adverse_event = fields.Boolean(load_default=False)


class CommentForm(Schema):
    """A remark."""

    text = fields.String(required=True, validate=validate.Length(1, 2000), error_messages=NEEDED)


class AnswerForm(Schema):
    """A remark of a reporter; photos may come instead of words."""

    text = fields.String(load_default=None, allow_none=True, validate=LONG)


class HarmForm(Schema):
    """Whether somebody may have been harmed."""

    suspected = fields.Boolean(load_default=True)
    reason = fields.String(load_default=None, allow_none=True, validate=LONG)


class RatingForm(Schema):
    """How content the reporter is."""

    rating = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 5))
    comment = fields.String(load_default=None, allow_none=True, validate=LONG)


class TriageForm(Schema):
    """What triage decides, whichever action is taken."""

    version = fields.Integer(load_default=None, allow_none=True)
    priority = fields.Enum(Priority, by_value=True, load_default=None, allow_none=True)
    template = fields.String(load_default=None, allow_none=True, validate=SHORT)
    why = fields.String(load_default=None, allow_none=True, validate=LONG)
    out_of_use = fields.Boolean(load_default=False)
    reason = fields.String(load_default=None, allow_none=True, validate=LONG)
    of = fields.String(load_default=None, allow_none=True, validate=SHORT)
    rating = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 5))
    comment = fields.String(load_default=None, allow_none=True, validate=LONG)


class SilenceForm(Schema):
    """How long silence must last to confirm a repair."""

    silence_days = fields.Integer(
        required=True,
        validate=validate.Range(1, 60, error=_l("Choose from 1 to 60 days.")),
        error_messages=NEEDED,
    )
