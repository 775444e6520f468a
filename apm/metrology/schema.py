"""What certificates, instruments and the rest must look like, and how the API shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from apm.assets.schema import EARLIEST, LONG, LONG_NOTE, has_odd_characters
from apm.core.i18n import _l
from apm.metrology.lights import Light
from apm.metrology.model import AppliedPart, Method, ProtectionClass, Result


def printable(text: str) -> None:
    """Refuse control characters."""
    if has_odd_characters(text):
        raise ValidationError([_l("There is a character here that cannot be printed. Retype it.")])


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError([_l("Fill this in.")])


def short(*, required: bool = False) -> fields.String:
    """Return a field of one line."""
    if required:
        return fields.String(
            required=True,
            validate=[printable, _not_blank, validate.Length(max=LONG)],
            error_messages={"required": [_l("Fill this in.")]},
        )
    return fields.String(load_default=None, allow_none=True,
                         validate=[printable, validate.Length(max=LONG)])  # fmt: skip


def long() -> fields.String:
    """Return a field of several lines."""
    return fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=LONG_NOTE)
    )


def day(*, required: bool = False) -> fields.Date:
    """Return a day that can be."""
    after = validate.Range(min=EARLIEST, error=_l("Give a day after 1950."))
    if required:
        return fields.Date(required=True, validate=after)
    return fields.Date(load_default=None, allow_none=True, validate=after)


def reason() -> fields.String:
    """Return why something is done, which must be said."""
    return fields.String(
        required=True,
        validate=[_not_blank, validate.Length(max=LONG_NOTE)],
        error_messages={"required": [_l("Say why.")]},
    )


class CertificateIn(Schema):
    """A certificate, from a form or from JSON; its file comes beside it."""

    number = short(required=True)
    body = short(required=True)
    issued_on = day(required=True)
    valid_until = day()
    result = fields.Enum(Result, by_value=True, required=True)
    note = long()


class InstrumentIn(Schema):
    """A test instrument."""

    name = short(required=True)
    name_zh = short()
    manufacturer = short()
    model = short()
    serial = short(required=True)
    asset = short()
    """The code of its entry in the equipment register."""


class InstrumentForm(InstrumentIn):
    """The same, of one that is known."""

    is_active = fields.Boolean(load_default=False)


class UseIn(Schema):
    """Which instrument measured what, on which day."""

    instrument = fields.Integer(required=True)
    scope = fields.String(load_default="all", validate=validate.Length(max=LONG))
    used_on = day()


class SubjectIn(Schema):
    """Whether an asset is verified by law: `yes`, `no`, or `list` for what its category says."""

    subject = fields.String(
        required=True,
        validate=validate.OneOf(["yes", "no", "list"], error=_l("Choose one of the list.")),
    )
    reason = reason()

    @post_load
    def as_flag(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Turn the word into what is stored."""
        flag = {"yes": True, "no": False, "list": None}[data["subject"]]
        return {"is_subject": flag, "reason": data["reason"]}


class ReasonIn(Schema):
    """Why a certificate is withdrawn."""

    reason = reason()


class SafetyIn(Schema):
    """What the limits of electrical safety depend on."""

    protection = fields.Enum(ProtectionClass, by_value=True, required=True)
    parts = fields.List(fields.Enum(AppliedPart, by_value=True), load_default=list)
    method = fields.Enum(Method, by_value=True, required=True)
    has_cord = fields.Boolean(load_default=False)


class ListArgs(Schema):
    """Where a page of a list begins, and how long it is."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class RegisterArgs(ListArgs):
    """Which assets of the verification register are wanted."""

    light = fields.Enum(Light, by_value=True)
    category = fields.String()
    department = fields.Integer()
    q = fields.String(validate=validate.Length(max=LONG))


class CertificateOut(Schema):
    """A certificate as the API shows it."""

    id = fields.Integer()
    number = fields.String()
    body = fields.String()
    issued_on = fields.Date()
    valid_until = fields.Date()
    result = fields.Enum(Result, by_value=True)
    note = fields.String(allow_none=True)
    media_type = fields.String(allow_none=True)
    sha256 = fields.String(allow_none=True)
    recorded_by = fields.String()
    recorded_at = fields.DateTime()
    withdrawn_at = fields.DateTime(allow_none=True)
    withdrawn_why = fields.String(allow_none=True)


class EntryOut(Schema):
    """One asset of the verification register."""

    asset = fields.String()
    number = fields.String()
    category = fields.String()
    light = fields.String()
    result = fields.String(allow_none=True)
    valid_until = fields.Date(allow_none=True)
    blocked = fields.String(allow_none=True)


class EntryList(Schema):
    """A page of the register."""

    items = fields.List(fields.Nested(EntryOut))
    next = fields.String(allow_none=True)


class CertificateList(Schema):
    """The certificates of one thing."""

    items = fields.List(fields.Nested(CertificateOut))
    next = fields.String(allow_none=True)


class InstrumentOut(Schema):
    """A test instrument as the API shows it."""

    id = fields.Integer()
    name = fields.String()
    name_zh = fields.String(allow_none=True)
    manufacturer = fields.String(allow_none=True)
    model = fields.String(allow_none=True)
    serial = fields.String()
    active = fields.Boolean(attribute="is_active")
    result = fields.Enum(Result, by_value=True, allow_none=True)
    calibrated_until = fields.Date(allow_none=True)
    version = fields.Integer()


class InstrumentList(Schema):
    """A page of instruments."""

    items = fields.List(fields.Nested(InstrumentOut))
    next = fields.String(allow_none=True)


class AffectedOut(Schema):
    """A work order that was measured with an instrument found out of tolerance."""

    work_order = fields.String()
    asset = fields.String(allow_none=True)
    used_on = fields.Date()
    steps = fields.List(fields.String())


class AffectedList(Schema):
    """All of them."""

    items = fields.List(fields.Nested(AffectedOut))
    next = fields.String(allow_none=True)


class UseOut(Schema):
    """Which instrument measured what."""

    instrument = fields.Integer()
    serial = fields.String()
    used_on = fields.Date()
    steps = fields.List(fields.String())
    calibrated = fields.Boolean()


class UseList(Schema):
    """The instruments of one work order."""

    items = fields.List(fields.Nested(UseOut))
    next = fields.String(allow_none=True)


class SafetyOut(Schema):
    """What is known of an asset's electrical safety, and what is measured on it."""

    protection = fields.Enum(ProtectionClass, by_value=True)
    parts = fields.List(fields.String())
    method = fields.Enum(Method, by_value=True)
    has_cord = fields.Boolean()
    tests = fields.List(fields.Dict())


class OrderOut(Schema):
    """The number of a work order."""

    work_order = fields.String()


class DriftOut(Schema):
    """A measured value that moves to its limit."""

    asset = fields.String()
    number = fields.String()
    step = fields.String(attribute="step_key")
    unit = fields.String(allow_none=True)
    n = fields.Integer()
    last = fields.Float()
    limit = fields.Float()
    slope = fields.Float(metadata={"description": "a year"})
    slope_low = fields.Float()
    slope_high = fields.Float()
    crosses_on = fields.Date()
    earliest = fields.Date()
    latest = fields.Date(allow_none=True)


class DriftList(Schema):
    """A page of them, what fails first first."""

    items = fields.List(fields.Nested(DriftOut))
    next = fields.String(allow_none=True)
