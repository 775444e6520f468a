"""What a plan must look like, from a form or from JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from apm.core.i18n import _l
from apm.maintenance.due import Interval as Length
from apm.maintenance.model import MeterKind, OccurrenceState, PlanMode, TriggerKind
from apm.maintenance.rhythm import Rhythm, usual_days
from apm.maintenance.wishes import LONGEST_NOTE, Excuse, Said, Wanted

LONGEST_MONTHS = 120
LONGEST_DAYS = 3660
LARGEST = 1e9
EARLIEST = date(1990, 1, 1)
LATEST = date(2200, 1, 1)
METERS = tuple(kind.value for kind in MeterKind)


def _months() -> fields.Integer:
    message = _l("Give whole months, 1 to %(n)s.", n=LONGEST_MONTHS)
    return fields.Integer(validate=validate.Range(1, LONGEST_MONTHS, error=message))


def _interval_days() -> fields.Integer:
    message = _l("Give whole days, 1 to %(n)s.", n=LONGEST_DAYS)
    return fields.Integer(validate=validate.Range(1, LONGEST_DAYS, error=message))


def _every() -> fields.Float:
    message = _l("Give a number above 0.")
    return fields.Float(validate=validate.Range(0, LARGEST, min_inclusive=False, error=message))


def _days() -> fields.Integer:
    return fields.Integer(validate=validate.Range(0, 366, error=_l("Give whole days, 0 or more.")))


def _day() -> fields.Date:
    message = _l("Give a day between 1990 and 2200.")
    return fields.Date(required=True, validate=validate.Range(EARLIEST, LATEST, error=message))


def _note() -> fields.String:
    return fields.String(load_default="", validate=validate.Length(max=LONGEST_NOTE))


class RhythmForm(Schema):
    """When a plan is due, as a page's form sends it: months, or days, or neither and a meter."""

    mode = fields.Enum(PlanMode, by_value=True, load_default=PlanMode.FIXED)
    interval_months = _months()
    interval_days = _interval_days()
    meter = fields.Enum(MeterKind, by_value=True)
    meter_every = _every()
    anchor = _day()
    early_days = _days()
    grace_days = _days()

    @validates_schema
    def has_interval(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse what would never be due, and what would be due in two ways."""
        if "interval_months" in data and "interval_days" in data:
            raise ValidationError([_l("Give months or days, not both.")], "interval_days")
        if ("meter" in data) != ("meter_every" in data):
            raise ValidationError(
                [_l("Give the meter and after how much it is due.")], "meter_every"
            )
        if not {"interval_months", "interval_days", "meter_every"} & set(data):
            raise ValidationError(
                [_l("Give whole months, 1 to %(n)s.", n=LONGEST_MONTHS)], "interval_months"
            )

    @post_load
    def with_rhythm(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Gather when it is due in one `Rhythm`."""
        length = Length(data.pop("interval_months", 0), data.pop("interval_days", 0))
        rhythm = _rhythm(data, length, data)
        for key in ("mode", "anchor", "early_days", "grace_days"):
            data.pop(key, None)
        meter, every = data.pop("meter", None), data.pop("meter_every", None)
        by_meter = [] if meter is None else [Wanted(TriggerKind.METER, meter=meter, every=every)]
        return {**data, "rhythm": rhythm, "triggers": by_meter}


class PlanForm(RhythmForm):
    """A new plan as the page's form sends it."""

    asset = fields.String(required=True)
    template = fields.String(required=True)


class ScopeForm(RhythmForm):
    """Plans for many assets, as the page's form sends it."""

    template = fields.String(required=True)
    department = fields.Integer()
    category = fields.String()
    model = fields.String()


class TryForm(RhythmForm):
    """A rhythm that is tried out in the simulator."""

    template = fields.String(required=True)


class TriggerIn(Schema):
    """What besides the calendar makes a plan due; the fields of its kind are given."""

    kind = fields.Enum(TriggerKind, by_value=True, required=True)
    meter = fields.Enum(MeterKind, by_value=True)
    every = _every()
    base = fields.Float(validate=validate.Range(0, LARGEST))
    sensor = fields.String()
    above = fields.Boolean(load_default=True)
    limit = fields.Float()
    hysteresis = fields.Float(load_default=0.0, validate=validate.Range(0, LARGEST))
    minutes = fields.Integer(load_default=0)
    floor = fields.Float()
    horizon_days = fields.Integer()

    @post_load
    def as_wanted(self, data: dict[str, Any], **_options: Any) -> Wanted:
        """Gather it in one `Wanted`."""
        return Wanted(is_above=data.pop("above"), **data)


class Interval(Schema):
    """How long from one due date to the next: months or days, and what meters may run."""

    class Meta:
        """`{"weeks": 9}` must not be taken for nothing."""

        unknown = RAISE

    months = _months()
    days = _interval_days()
    hours = _every()
    uses = _every()
    exposures = _every()
    cycles = _every()

    @validates_schema
    def has_interval(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse an interval of nothing, and one of months and days."""
        if not data:
            raise ValidationError(
                [_l("Give whole months, 1 to %(n)s.", n=LONGEST_MONTHS)], "months"
            )
        if "months" in data and "days" in data:
            raise ValidationError([_l("Give months or days, not both.")], "days")


class WindowDays(Schema):
    """How far the window reaches around a due date."""

    early_days = _days()
    grace_days = _days()


class RhythmIn(Schema):
    """When a plan is due."""

    mode = fields.Enum(PlanMode, by_value=True, load_default=PlanMode.FIXED)
    interval = fields.Nested(Interval, required=True)
    anchor = _day()
    window = fields.Nested(WindowDays, load_default=dict)

    @post_load
    def with_rhythm(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Gather when it is due in one `Rhythm`, and what meters count in triggers."""
        interval = data.pop("interval")
        length = Length(interval.get("months", 0), interval.get("days", 0))
        rhythm = _rhythm(data, length, data.pop("window"))
        del data["mode"], data["anchor"]
        by_meter = [
            Wanted(TriggerKind.METER, meter=MeterKind(name), every=interval[name])
            for name in METERS
            if name in interval
        ]
        return {**data, "rhythm": rhythm, "triggers": [*by_meter, *data.get("triggers", ())]}


class PlanIn(RhythmIn):
    """A new plan."""

    asset = fields.String(required=True)
    template = fields.String(required=True)
    triggers = fields.List(fields.Nested(TriggerIn), validate=validate.Length(max=10))


class ScopeIn(RhythmIn):
    """Plans for every asset of a category, a model or a department that has none."""

    template = fields.String(required=True)
    department = fields.String()
    category = fields.String()
    model = fields.String()
    preview = fields.Boolean(load_default=False)


def _rhythm(data: dict[str, Any], length: Length, days: dict[str, Any]) -> Rhythm:
    usual = usual_days(length)
    return Rhythm(
        mode=data["mode"],
        interval_months=length.months,
        interval_days=length.days,
        anchor=data["anchor"],
        early_days=days.get("early_days", usual),
        grace_days=days.get("grace_days", usual),
    )


class WhyIn(Schema):
    """Why something is done."""

    note = _note()


class ExcuseIn(WhyIn):
    """Why a due date passes without work."""

    reason = fields.Enum(Excuse, by_value=True, required=True)


class MeterIn(Schema):
    """What a meter says."""

    asset = fields.String(required=True)
    meter = fields.Enum(MeterKind, by_value=True, load_default=MeterKind.HOURS)
    value = fields.Float(required=True)
    at = fields.AwareDateTime()
    reset = fields.Boolean(load_default=False)

    @post_load
    def as_said(self, data: dict[str, Any], **_options: Any) -> Said:
        """Gather it in one `Said`."""
        return Said(
            data["asset"], data["meter"], data["value"], data.get("at"), is_reset=data["reset"]
        )


class ListArgs(Schema):
    """Where a page of a list begins, and how long it is."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class PlanArgs(ListArgs):
    """Which plans are wanted."""

    asset = fields.String()


class OccurrenceArgs(PlanArgs):
    """Which occurrences are wanted; `from` and `to` are due dates, both included."""

    plan = fields.Integer()
    state = fields.Enum(OccurrenceState, by_value=True)
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")


class SimulationArgs(Schema):
    """Which plans are simulated, and how many hours a month there are for them."""

    department = fields.String()
    category = fields.String()
    model = fields.String()
    capacity_hours = fields.Float(required=True, validate=validate.Range(0, 1e6))
