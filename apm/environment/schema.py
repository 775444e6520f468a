"""What forms about places, plans, checks and reports must look like."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from apm.core.i18n import _l
from apm.core.typed import BadNumber, number
from apm.environment.model import Decision, Slot
from apm.readings.schema import Instant

LONG = 4000
COLDEST, HOTTEST = -200.0, 150.0


class Typed(fields.Field[float]):
    """A number as people type it, within bounds."""

    def __init__(self, unit: str, low: float, high: float) -> None:
        super().__init__(allow_none=True)
        self.unit, self.low, self.high = unit, low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> float:
        try:
            found = float(number(str(value), unit=self.unit))
        except BadNumber as error:
            raise ValidationError([error.message]) from error
        if not self.low <= found <= self.high:
            raise ValidationError([_l("Nothing reads so. Check the number and its sign.")])
        return found


class PlaceIn(Schema):
    """What is known of a place."""

    floor = fields.String(allow_none=True, validate=validate.Length(max=20))
    profile = fields.String(allow_none=True, validate=validate.Length(max=60))
    stores = fields.String(allow_none=True, validate=validate.Length(max=300))
    is_checked_by_hand = fields.Boolean(load_default=False)


class PlanIn(Schema):
    """A floor plan's name."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=80))
    name_zh = fields.String(allow_none=True, validate=validate.Length(max=80))


class PinIn(Schema):
    """What is pinned, and where: percent of the picture from its left and upper edge."""

    what = fields.String(required=True, validate=validate.Length(min=1, max=80))
    x = Typed("%", 0, 100)
    y = Typed("%", 0, 100)


class CheckIn(Schema):
    """One check by hand."""

    slot = fields.Enum(Slot, by_value=True, required=True)
    day = fields.Date(allow_none=True)
    temperature = Typed("°C", COLDEST, HOTTEST)
    humidity = Typed("%", 0, 100)
    note = fields.String(allow_none=True, validate=validate.Length(max=500))
    correction = fields.String(allow_none=True, validate=validate.Length(max=500))


class StartIn(Schema):
    """Which excursion a report is about."""

    sensor = fields.String(required=True, validate=validate.Length(max=64))
    began = Instant(required=True)


class ReportIn(Schema):
    """What is said about an excursion."""

    products = fields.String(allow_none=True, validate=validate.Length(max=LONG))
    cause = fields.String(allow_none=True, validate=validate.Length(max=LONG))
    action = fields.String(allow_none=True, validate=validate.Length(max=LONG))
    decision = fields.Enum(Decision, by_value=True, allow_none=True)
    decision_reason = fields.String(allow_none=True, validate=validate.Length(max=LONG))


class SignIn(Schema):
    """The password that is a signature."""

    password = fields.String(allow_none=True, validate=validate.Length(max=1000))


class PeriodIn(Schema):
    """From which day to which, both inclusive, and how fine."""

    class Meta:
        """Fields whose names Python keeps for itself."""

        include = {"from": fields.Date(allow_none=True), "to": fields.Date(allow_none=True)}

    grain = fields.String(load_default="day", validate=validate.OneOf(["day", "hour"]))
