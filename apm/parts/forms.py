"""The forms of the parts' pages, and how a refusal is shown in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from apm.assets.schema import LONG_NOTE
from apm.core.errors import DomainError, Invalid
from apm.core.http import Form
from apm.core.i18n import _l
from apm.parts.schema import MOST_LINES, printable, short

NEEDED: dict[str, str | list[Any] | dict[Any, Any]] = {"required": [_l("Fill this in.")]}
"""In a list: marshmallow would take a text that is translated later for a list of letters."""


def _quantity(*, required: bool = True) -> fields.String:
    return fields.String(
        required=required, validate=validate.Length(max=MOST_LINES), error_messages=NEEDED
    )


def _reason() -> fields.String:
    return fields.String(load_default="", validate=[printable, validate.Length(max=LONG_NOTE)])


class ReceiveForm(Schema):
    """What came."""

    quantity = _quantity()
    store = short()
    lot = short()
    expires_on = fields.Date()
    rejected = fields.String(load_default="0", validate=validate.Length(max=MOST_LINES))
    reject_reason = fields.String(validate=[printable, validate.Length(max=LONG_NOTE)])


class OrderForm(Schema):
    """What is ordered."""

    quantity = _quantity()
    supplier = fields.Integer(required=True, error_messages=NEEDED)
    promised_on = fields.Date()
    note = fields.String(validate=[printable, validate.Length(max=LONG_NOTE)])


class ChangeForm(Schema):
    """A change of what lies in one place."""

    do = fields.String(
        required=True,
        validate=validate.OneOf(["adjust", "scrap", "transfer"]),
        error_messages=NEEDED,
    )
    quantity = _quantity()
    store = fields.String(load_default="", validate=[printable, validate.Length(max=120)])
    reason = _reason()


class IssueForm(Schema):
    """A part for a work order, by number or barcode."""

    code = fields.String(required=True, validate=validate.Length(1, 120), error_messages=NEEDED)
    quantity = _quantity()
    lot = fields.String(validate=validate.Length(max=120))
    do = fields.String(load_default="issue", validate=validate.OneOf(["issue", "reserve"]))


class ReturnForm(Schema):
    """Parts that come back from a work order."""

    move = fields.Integer(required=True)
    quantity = _quantity()


def refused(error: DomainError, typed: Mapping[str, str]) -> Form:
    """Return a form that shows why the command refused it, beside the fields if it said which."""
    found = error.fields if isinstance(error, Invalid) else {}
    errors = {name: [str(text) for text in texts] for name, texts in found.items()}
    return Form(None, errors or {"_schema": [str(error)]}, typed)
