"""What forms and JSON of work orders must look like."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from apm.core.i18n import _l
from apm.core.typed import BadNumber, number
from apm.procedures.model import GIVEN, Verdict
from apm.work.signing import MOST_LETTERS
from apm.work.states import AsFound, CostKind, DownKind, DownReason, Priority

LONG = validate.Length(max=2000)
SHORT = validate.Length(max=80)
MOST_REMARK = 4000
"""Letters of an addendum."""
NEEDED: dict[str, str | list[Any] | dict[Any, Any]] = {"required": [_l("Fill this in.")]}
"""In a list: marshmallow would take a text that is translated later for a list of letters."""


class Measured(fields.Float):
    """A number as people type it, see `core.typed.number`; infinity will not do."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            raise ValidationError([_l("Give a number.")])
        try:
            if isinstance(value, str):
                value = number(value)
            return super()._deserialize(value, attr, data, **kwargs)
        except BadNumber as error:
            raise ValidationError([error.message]) from error
        except ValidationError as error:
            raise ValidationError([_l("Give a number.")]) from error


class FromPhone(Schema):
    """What a phone says of itself with everything it sends; see `phone.Sent`."""

    device = fields.String(load_default=None, allow_none=True, validate=SHORT)
    device_at = fields.AwareDateTime(
        format="iso",
        load_default=None,
        allow_none=True,
        metadata={"description": "When it was done, by the phone's clock; see `Apm-Sent-At`."},
    )


class WorkForm(FromPhone):
    """What may be said with a step of a work order, whichever step it is."""

    version = fields.Integer(load_default=None, allow_none=True)
    reason = fields.String(load_default=None, allow_none=True, validate=LONG)
    expected_on = fields.Date(load_default=None, allow_none=True)
    assignee = fields.String(load_default=None, allow_none=True, validate=SHORT)
    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    labour_minutes = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(0, 100_000)
    )
    cause = fields.String(load_default=None, allow_none=True, validate=SHORT)
    remedy = fields.String(load_default=None, allow_none=True, validate=LONG)
    follow_up = fields.Boolean(load_default=False)
    as_found = fields.Enum(
        AsFound,
        by_value=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "Needed to complete work that a forecast asked for."},
    )
    once = fields.String(
        load_default=None,
        allow_none=True,
        validate=SHORT,
        metadata={"description": "A key of your own: a signature sent again is given once."},
    )
    drawn = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=MOST_LETTERS),
        metadata={"description": "A signature by hand: an SVG path on a field 1000 wide."},
    )
    priority = fields.Enum(Priority, by_value=True, load_default=None, allow_none=True)
    confirm = fields.Boolean(
        load_default=False,
        metadata={"description": "Assign high-risk work to somebody without the competence."},
    )


class RoundForm(Schema):
    """What is said once for all devices of a round."""

    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    nonce = fields.String(load_default=None, allow_none=True, validate=SHORT)
    labour_minutes = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(0, 100_000)
    )


class DeviceForm(Schema):
    """What is said of one device of a round; without a result it is left for later."""

    result = fields.String(load_default=None, validate=validate.OneOf(["pass", "fail"]))
    note = fields.String(load_default=None, validate=LONG)
    version = fields.Integer(load_default=None)


class AnswerForm(Schema):
    """The answer to one step."""

    value = Measured(load_default=None, allow_none=True)
    verdict = fields.Enum(
        Verdict,
        by_value=True,
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(GIVEN, error=_l("Answer with pass, fail or not applicable.")),
    )
    note = fields.String(load_default=None, allow_none=True, validate=LONG)
    low = Measured(load_default=None, allow_none=True)
    high = Measured(load_default=None, allow_none=True)
    reference = Measured(load_default=None, allow_none=True)
    base = fields.Integer(
        load_default=None,
        allow_none=True,
        metadata={"description": "The revision of the step this answer is based on."},
    )


class AnswerSent(AnswerForm, FromPhone):
    """The answer to one step, as a phone sends it."""


class ChoiceSent(AnswerSent):
    """My answer, beside the one that is stored (its revision is `base`), and which counts."""

    chosen = fields.String(
        required=True, validate=validate.OneOf(["mine", "theirs"]), error_messages=NEEDED
    )
    base = fields.Integer(required=True, error_messages=NEEDED)


class RecordForm(FromPhone):
    """Time, cause and remedy on the way."""

    labour_minutes = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(0, 100_000)
    )
    cause = fields.String(load_default=None, allow_none=True, validate=SHORT)
    remedy = fields.String(load_default=None, allow_none=True, validate=LONG)


class LabourForm(FromPhone):
    """One stretch of work, by the phone's clock."""

    began = fields.AwareDateTime(format="iso", required=True, error_messages=NEEDED)
    ended = fields.AwareDateTime(format="iso", required=True, error_messages=NEEDED)


class DowntimeForm(FromPhone):
    """From when until when equipment was out of use; a form says it in the hospital's time."""

    began = fields.DateTime(format="iso", load_default=None, allow_none=True)
    ended = fields.DateTime(format="iso", load_default=None, allow_none=True)
    kind = fields.Enum(DownKind, by_value=True, load_default=None, allow_none=True)
    reason = fields.Enum(DownReason, by_value=True, load_default=None, allow_none=True)


class AddendumForm(FromPhone):
    """A remark on a signed record."""

    text = fields.String(
        required=True, validate=validate.Length(1, MOST_REMARK), error_messages=NEEDED
    )


class PhotoSent(FromPhone):
    """A photo in JSON."""

    image = fields.String(
        required=True,
        validate=validate.Length(1, 21_000_000),
        error_messages=NEEDED,
        metadata={"description": "JPEG, PNG or WebP, in base 64."},
    )
    step = fields.String(load_default="", validate=SHORT)


class CostForm(Schema):
    """Money, typed in whole units of the currency; `amount` comes out in fen."""

    kind = fields.Enum(CostKind, by_value=True, required=True)
    amount = Measured(required=True, validate=validate.Range(0, 10**11), error_messages=NEEDED)
    note = fields.String(load_default=None, validate=SHORT)
