"""What a vendor must look like."""

from __future__ import annotations

from typing import Any, TypedDict

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

from apm.assets.schema import has_odd_characters, in_one_line
from apm.core.i18n import _l

LONG = 120


class VendorDetails(TypedDict, total=False):
    """What may be said of a vendor; a field left out stays as it is, None clears it."""

    name_zh: str | None
    contact: str | None
    phone: str | None
    email: str | None
    is_active: bool


class VendorChanges(VendorDetails, total=False):
    """The same, and the name that a vendor cannot do without."""

    name: str


def _printable(text: str) -> None:
    if has_odd_characters(text):
        raise ValidationError([_l("There is a character here that cannot be printed. Retype it.")])


def _short() -> fields.String:
    return fields.String(allow_none=True, validate=[_printable, validate.Length(max=LONG)])


class VendorForm(Schema):
    """A vendor, from the form."""

    class Meta:
        """A field that we do not know is a mistake of the sender's, not noise."""

        unknown = RAISE

    name = fields.String(
        required=True,
        validate=[_printable, validate.Length(min=1, max=LONG)],
        error_messages={"required": [_l("Fill this in.")]},
    )
    name_zh = _short()
    contact = _short()
    phone = _short()
    email = fields.String(
        allow_none=True,
        validate=[
            validate.Length(max=LONG),
            validate.Regexp(r"[^@\s]+@[^@\s]+$", error=_l("This is no e-mail address.")),
        ],
    )
    is_active = fields.Boolean()

    @pre_load
    def _trim(self, data: Any, **_options: object) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: in_one_line(v) if isinstance(v, str) else v for k, v in data.items()}
