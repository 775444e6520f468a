"""What may be said of an alarm, and how the API shows it."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate

from apm.core.i18n import _l
from apm.readings.schema import CodeOut, PageWanted
from apm.work.states import Priority

LONGEST = 2000
FURTHEST = 1e9
"""No limit of a hospital is beyond it."""
LONGEST_DELAY_S = 30 * 86_400


def _said(text: str) -> None:
    if not text.strip():
        raise ValidationError([_l("Say why.")])


def _reason() -> fields.String:
    return fields.String(
        required=True,
        validate=[_said, validate.Length(max=LONGEST)],
        error_messages={"required": [_l("Say why.")]},
    )


class AlarmsWanted(PageWanted):
    """Which alarms."""

    active = fields.Boolean()
    acknowledged = fields.Boolean()
    muted = fields.Boolean()
    priority = fields.String(validate=validate.OneOf([one.value for one in Priority]))
    group = fields.Integer()


class NoteIn(Schema):
    """What somebody says about an alarm."""

    LONGEST = LONGEST
    note = fields.String(allow_none=True, validate=validate.Length(max=LONGEST))


class ShelveIn(Schema):
    """For how long an alarm is silenced, and why."""

    minutes = fields.Integer(required=True, validate=validate.Range(1, 7 * 24 * 60))
    reason = _reason()


class ReasonIn(Schema):
    """Why."""

    reason = _reason()


class WhyForm(Schema):
    """Why, on a page that has another form with a reason."""

    why = _reason()


class VerdictIn(Schema):
    """Whether an alarm was real."""

    real = fields.Boolean(required=True)


class RuleIn(Schema):
    """How one rule departs from what is shipped; what is left out stays as it is."""

    on = fields.Boolean(load_default=False)
    limit = fields.Float(validate=validate.Range(-FURTHEST, FURTHEST), allow_none=True)
    deadband = fields.Float(validate=validate.Range(0, FURTHEST), allow_none=True)
    on_delay_s = fields.Integer(validate=validate.Range(0, LONGEST_DELAY_S), allow_none=True)
    off_delay_s = fields.Integer(validate=validate.Range(0, LONGEST_DELAY_S), allow_none=True)
    priority = fields.String(
        validate=validate.OneOf([one.value for one in Priority]), allow_none=True
    )
    reason = _reason()


class AlarmBrief(Schema):
    """An alarm in a list."""

    id = fields.Integer()
    sensor = fields.Pluck(CodeOut, "code")
    asset = fields.Pluck(CodeOut, "code", attribute="sensor.asset", allow_none=True)
    location = fields.Pluck(CodeOut, "name", attribute="sensor.location", allow_none=True)
    kind = fields.String()
    rule = fields.String()
    priority = fields.String()
    state = fields.String()
    active = fields.Boolean()
    acknowledged = fields.Boolean()
    acknowledged_by = fields.String()
    acknowledged_at = fields.AwareDateTime()
    muted = fields.String(allow_none=True)
    since = fields.AwareDateTime()
    raised_at = fields.AwareDateTime()
    noticed_at = fields.AwareDateTime(allow_none=True)
    returned_at = fields.AwareDateTime(allow_none=True)
    ended_at = fields.AwareDateTime()
    ended_why = fields.String(allow_none=True)
    score = fields.Float()
    limit = fields.Float(allow_none=True)
    peak = fields.Float(allow_none=True)
    reason = fields.String()
    note = fields.String()
    real = fields.Boolean(attribute="is_real", allow_none=True)
    group = fields.Integer(attribute="group_id", allow_none=True)
    work_order = fields.String(attribute="work_order_no")


class AlarmOut(AlarmBrief):
    """An alarm with what was seen, and what may be done with it now."""

    evidence = fields.Raw()
    actions = fields.List(fields.String())


class AlarmPage(Schema):
    """One page of alarms."""

    items = fields.List(fields.Nested(AlarmBrief))
    next = fields.String()


class RuleOut(Schema):
    """One rule in force on a sensor."""

    key = fields.String()
    kind = fields.String()
    name = fields.String()
    on = fields.Boolean(attribute="is_on")
    limit = fields.Float(allow_none=True)
    low_limit = fields.Float(allow_none=True)
    deadband = fields.Float()
    on_delay_s = fields.Integer()
    off_delay_s = fields.Integer()
    inclusive = fields.Boolean(attribute="is_inclusive")
    cumulative = fields.Boolean(attribute="is_cumulative")
    priority = fields.String()
    opens_work = fields.Boolean()
    latches = fields.Boolean()
    consequence = fields.String()
    response = fields.String()
    source = fields.String()
    verify = fields.Boolean(attribute="to_verify")
    own_reason = fields.String(attribute="own", allow_none=True)


class RuleList(Schema):
    """The rules of one sensor."""

    items = fields.List(fields.Nested(RuleOut))
    next = fields.String(allow_none=True)
