"""What forms and JSON of work orders must look like."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from apm.core.i18n import _l
from apm.procedures.model import Verdict
from apm.work.results import GIVEN
from apm.work.states import CostKind

LONG = validate.Length(max=2000)
SHORT = validate.Length(max=80)
NEEDED: dict[str, str | list[Any] | dict[Any, Any]] = {"required": [_l("Fill this in.")]}
"""In a list: marshmallow would take a text that is translated later for a list of letters."""


class Measured(fields.Float):
    """A number as people type it: a decimal comma will do, infinity will not."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = (
            value.strip().replace("−", "-").replace(",", ".") if isinstance(value, str) else value
        )
        if isinstance(text, bool):
            raise ValidationError([_l("Give a number.")])
        try:
            return super()._deserialize(text, attr, data, **kwargs)
        except ValidationError as error:
            raise ValidationError([_l("Give a number.")]) from error


class WorkForm(Schema):
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


class CostForm(Schema):
    """Money, typed in whole units of the currency; `amount` comes out in fen."""

    kind = fields.Enum(CostKind, by_value=True, required=True)
    amount = Measured(required=True, validate=validate.Range(0, 10**11), error_messages=NEEDED)
    note = fields.String(load_default=None, validate=SHORT)
