"""What feeds, decisions about counters and the terms of energy must look like."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from apm.core.i18n import _l
from apm.maintenance.model import MeterKind
from apm.utilisation.model import FeedWay

POSITIVE = validate.Range(min=0, min_inclusive=False, max=1e9, error=_l("Give a number above 0."))
NOT_NEGATIVE = validate.Range(min=0, max=1e12, error=_l("Give a number, 0 or more."))


class FeedIn(Schema):
    """How a sensor tells the use of its asset."""

    way = fields.Enum(FeedWay, by_value=True, required=True)
    meter = fields.Enum(MeterKind, by_value=True, allow_none=True, load_default=None)
    bits = fields.Integer(
        allow_none=True,
        load_default=None,
        validate=validate.OneOf([16, 32], error=_l("Give 16 or 32 bits.")),
    )
    most_per_hour = fields.Float(allow_none=True, load_default=None, validate=POSITIVE)
    volts = fields.Float(allow_none=True, load_default=None, validate=POSITIVE)
    power_factor = fields.Float(
        allow_none=True,
        load_default=None,
        validate=validate.Range(
            min=0, min_inclusive=False, max=1, error=_l("A power factor lies above 0 and up to 1.")
        ),
    )
    phases = fields.Integer(
        load_default=1, validate=validate.OneOf([1, 3], error=_l("Give 1 or 3 phases."))
    )
    off_below = fields.Float(allow_none=True, load_default=None, validate=NOT_NEGATIVE)
    on_above = fields.Float(allow_none=True, load_default=None, validate=NOT_NEGATIVE)
    least_minutes = fields.Float(load_default=2.0, validate=validate.Range(0, 240))
    gap_minutes = fields.Float(load_default=30.0, validate=validate.Range(1, 1440))

    @validates_schema
    def _cuts_belong_together(self, data: dict[str, Any], **_options: object) -> None:
        low, high = data["off_below"], data["on_above"]
        if (low is None) != (high is None):
            message = _l("Give both limits, or leave both empty and let them be found.")
            raise ValidationError([message], "on_above" if high is None else "off_below")
        if low is not None and low > high:
            raise ValidationError([_l("Off must end where on begins, or below.")], "off_below")


class DecisionIn(Schema):
    """What a person says a break of a counter was."""

    LONGEST = 500
    added = fields.Float(load_default=0.0, validate=NOT_NEGATIVE)
    note = fields.String(allow_none=True, load_default=None, validate=validate.Length(max=LONGEST))


class TermsIn(Schema):
    """Price and CO2 factor of electricity."""

    price_per_kwh = fields.Decimal(
        allow_none=True,
        load_default=None,
        places=5,
        validate=validate.Range(min=0, max=1000, error=_l("Give a price between 0 and 1,000.")),
    )
    factor_g_per_kwh = fields.Float(
        allow_none=True,
        load_default=None,
        validate=validate.Range(min=0, max=3000, error=_l("Give grams between 0 and 3,000.")),
    )
    factor_source = fields.String(
        allow_none=True, load_default=None, validate=validate.Length(max=300)
    )
    factor_year = fields.Integer(
        allow_none=True, load_default=None, validate=validate.Range(1990, 2100)
    )
    is_verified = fields.Boolean(load_default=False)

    @validates_schema
    def _a_factor_has_a_source(self, data: dict[str, Any], **_options: object) -> None:
        if data["factor_g_per_kwh"] is None:
            return
        for name in ("factor_source", "factor_year"):
            if not data[name]:
                raise ValidationError(
                    [_l("Say where the factor comes from, and of which year.")], name
                )


class DaysWanted(Schema):
    """Which days."""

    first = fields.Date(data_key="from", attribute="first")
    last = fields.Date(data_key="to", attribute="last")
    by = fields.String(
        load_default="device", validate=validate.OneOf(["device", "room", "department"])
    )

    @validates_schema
    def _are_of_our_time(self, data: dict[str, Any], **_options: object) -> None:
        for name, key in (("first", "from"), ("last", "to")):
            if name in data and not date(1990, 1, 1) <= data[name] <= date(2200, 1, 1):
                raise ValidationError([_l("Give a day between 1990 and 2200.")], key)
