"""What sensors and what is asked of their readings must look like."""

from __future__ import annotations

from typing import Any, TypedDict

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from apm.core.i18n import _l

QUANTITIES = {
    "temperature": _l("Temperature"),
    "humidity": _l("Relative humidity"),
    "pressure": _l("Pressure"),
    "current": _l("Current"),
    "voltage": _l("Voltage"),
    "power": _l("Power"),
    "flow": _l("Flow"),
    "vibration": _l("Vibration"),
    "count": _l("Count"),
    "other": _l("Other"),
}


class SensorDetails(TypedDict, total=False):
    """What one may, but need not, say of a sensor."""

    name_zh: str | None
    asset: str | None
    """The public code of the asset it is on."""
    location: str | None
    """The name or code of the place it is in."""
    profile: str | None


def _clean(text: str, message: Any) -> None:
    if not text.strip():
        raise ValidationError(message)


class SensorIn(Schema):
    """A new sensor, from the form or from JSON."""

    code = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z",
            error=_l("Use 1 to 64 letters, digits, dots, colons, dashes or underscores."),
        ),
    )
    name = fields.String(required=True, validate=validate.Length(min=1, max=120))
    name_zh = fields.String(allow_none=True, validate=validate.Length(max=120))
    quantity = fields.String(required=True, validate=validate.OneOf(QUANTITIES))
    unit = fields.String(required=True, validate=validate.Length(max=20))
    asset = fields.String(allow_none=True, validate=validate.Length(max=20))
    location = fields.String(allow_none=True, validate=validate.Length(max=120))
    profile = fields.String(allow_none=True)

    @validates_schema
    def _has_a_place(self, data: dict[str, Any], **_options: object) -> None:
        if not data.get("asset") and not data.get("location"):
            raise ValidationError(_l("Say which equipment or which place it measures."), "asset")
