"""What sensors and what is asked of their readings must look like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates,
    validates_schema,
)

from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.units import known_unit, shown
from apm.readings.profiles import profiles

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


UNITS = {
    "temperature": (("degC", "degF", "K"), _l("Give temperatures in °C, °F or K.")),
    "humidity": (("%", "%RH"), _l("Give humidity in % or %RH.")),
}
"""What limits of places are held against, and its kin, with the refusal of others."""


class SensorDetails(TypedDict, total=False):
    """What one may, but need not, say of a sensor."""

    name_zh: str | None
    asset: str | None
    """The public code of the asset it is on."""
    location: str | None
    """The name or code of the place it is in."""
    profile: str | None


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

    @validates("profile")
    def _is_known(self, code: str | None, **_options: object) -> None:
        check_profile(code)

    @post_load
    def _as_we_write_it(self, data: dict[str, Any], **_options: object) -> dict[str, Any]:
        try:
            data["unit"] = unit_of(data["quantity"], data["unit"])
        except Invalid as error:
            raise ValidationError([error.message], "unit") from error
        return data

    @validates_schema
    def _has_a_place(self, data: dict[str, Any], **_options: object) -> None:
        if not data.get("asset") and not data.get("location"):
            raise ValidationError([_l("Say which equipment or which place it measures.")], "asset")


class SensorChange(Schema):
    """What may be said anew of a sensor; the last three only before it has read anything."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=120))
    name_zh = fields.String(load_default=None, validate=validate.Length(max=120))
    location = fields.String(load_default=None, validate=validate.Length(max=120))
    profile = fields.String(load_default=None)
    asset = fields.String(allow_none=True, validate=validate.Length(max=20))
    quantity = fields.String(validate=validate.OneOf(QUANTITIES))
    unit = fields.String(validate=validate.Length(min=1, max=20))

    @validates("profile")
    def _is_known(self, code: str | None, **_options: object) -> None:
        check_profile(code)


class SensorPatch(SensorChange):
    """The same, and whether it is in service."""

    in_service = fields.Boolean()


class SensorMove(Schema):
    """What a sensor measures from now on."""

    asset = fields.String(load_default=None, validate=validate.Length(max=20))
    location = fields.String(load_default=None, validate=validate.Length(max=120))
    profile = fields.String(load_default=None)

    @validates("profile")
    def _is_known(self, code: str | None, **_options: object) -> None:
        check_profile(code)


def unit_of(quantity: str, unit: str) -> str:
    """Return a unit as we write it, ℃ and 度 as °C: rules and neighbours go by it.

    Raises:
        Invalid: the quantity is not measured in it.
    """
    known, refusal = UNITS.get(quantity, ((), None))
    if not known:
        return unit
    if known_unit(unit) not in known:
        raise Invalid(refusal, fields={"unit": [refusal]})
    return shown(known_unit(unit))


def check_profile(code: str | None) -> None:
    """Refuse a profile that nobody has described."""
    if code is not None and code not in profiles():
        raise ValidationError([_l("There is no such profile. Choose one of the list.")])


class PageWanted(Schema):
    """Which page of a list."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class Instant(fields.AwareDateTime):
    """An instant with offset; forgives the `+` of one that a URL turned into a space.

    Years at the calendar's ends are refused: there is no day before the first to count from.
    """

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> datetime:
        text = (
            value.strip().replace(" ", "+") if isinstance(value, str) and "T" in value else value
        )
        found = super()._deserialize(text, attr, data, **options)
        if not 1990 <= found.year < 2200:
            raise ValidationError([_l("Give a day between 1990 and 2200.")])
        return found


class SeriesWanted(Schema):
    """Which stretch of readings, and how fine."""

    start = Instant(data_key="from", attribute="from")
    to = Instant()
    resolution = fields.String(
        load_default="auto", validate=validate.OneOf(["auto", "raw", "hour", "day"])
    )


class RejectionOut(Schema):
    """One reading that was not stored."""

    index = fields.Integer()
    code = fields.String()
    detail = fields.String()


class IngestOut(Schema):
    """What became of a batch."""

    accepted = fields.Integer()
    duplicate = fields.Integer()
    rejected = fields.List(fields.Nested(RejectionOut))


class LatestOut(Schema):
    """The newest reading that is not marked bad."""

    at = fields.AwareDateTime()
    value = fields.Float()
    received_at = fields.AwareDateTime()


class SensorOut(Schema):
    """A sensor as the API shows it."""

    code = fields.String()
    name = fields.String()
    name_zh = fields.String()
    asset = fields.Pluck("CodeOut", "code", allow_none=True)
    location = fields.Pluck("CodeOut", "name", allow_none=True)
    quantity = fields.String()
    unit = fields.String()
    profile = fields.String()
    retired_at = fields.AwareDateTime(allow_none=True)
    latest = fields.Nested(LatestOut)


class CodeOut(Schema):
    """What something on a label is called."""

    code = fields.String()
    name = fields.String()


class SensorPage(Schema):
    """One page of sensors."""

    items = fields.List(fields.Nested(SensorOut))
    next = fields.String()


class SeriesOut(Schema):
    """Columns of equal length.  `min`, `max` and `n` only where a point stands for several.

    Written by `api`, a column at a time: it describes what comes out.
    """

    resolution_s = fields.Integer(allow_none=True)
    at = fields.List(fields.AwareDateTime())
    value = fields.List(fields.Float())
    low = fields.List(fields.Float(), data_key="min")
    high = fields.List(fields.Float(), data_key="max")
    n = fields.List(fields.Integer())
