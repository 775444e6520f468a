"""What a plan must look like, from a form or from JSON, and how the API shows plans."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate

from apm.core.i18n import _l
from apm.maintenance.model import OccurrenceState, PlanMode
from apm.maintenance.rhythm import Rhythm, usual_days

LONGEST_MONTHS = 120
EARLIEST = date(1990, 1, 1)
LATEST = date(2200, 1, 1)


def _months() -> fields.Integer:
    message = _l("Give whole months, 1 to %(n)s.", n=LONGEST_MONTHS)
    between = validate.Range(1, LONGEST_MONTHS, error=message)
    return fields.Integer(required=True, validate=between)


def _days() -> fields.Integer:
    return fields.Integer(validate=validate.Range(0, 366, error=_l("Give whole days, 0 or more.")))


def _day() -> fields.Date:
    message = _l("Give a day between 1990 and 2200.")
    return fields.Date(required=True, validate=validate.Range(EARLIEST, LATEST, error=message))


class PlanForm(Schema):
    """A new plan as the page's form sends it."""

    asset = fields.String(required=True)
    template = fields.String(required=True)
    mode = fields.Enum(PlanMode, by_value=True, load_default=PlanMode.FIXED)
    interval_months = _months()
    anchor = _day()
    early_days = _days()
    grace_days = _days()

    @post_load
    def with_rhythm(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Gather when it is due in one `Rhythm`."""
        return _gathered(data, data["interval_months"], data)


class Interval(Schema):
    """How long from one due date to the next.  Days and meter hours are not planned by yet."""

    class Meta:
        """`{"days": 90}` must not be taken for nothing."""

        unknown = RAISE

    months = _months()


class WindowDays(Schema):
    """How far the window reaches around a due date."""

    early_days = _days()
    grace_days = _days()


class PlanIn(Schema):
    """A new plan."""

    asset = fields.String(required=True)
    template = fields.String(required=True)
    mode = fields.Enum(PlanMode, by_value=True, load_default=PlanMode.FIXED)
    interval = fields.Nested(Interval, required=True)
    anchor = _day()
    window = fields.Nested(WindowDays, load_default=dict)

    @post_load
    def with_rhythm(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Gather when it is due in one `Rhythm`."""
        return _gathered(data, data["interval"]["months"], data["window"])


def _gathered(data: dict[str, Any], months: int, days: dict[str, Any]) -> dict[str, Any]:
    usual = usual_days(months)
    rhythm = Rhythm(
        mode=data["mode"],
        interval_months=months,
        anchor=data["anchor"],
        early_days=days.get("early_days", usual),
        grace_days=days.get("grace_days", usual),
    )
    return {"asset": data["asset"], "template": data["template"], "rhythm": rhythm}


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


class OpenOccurrence(Schema):
    """The occurrence of a plan that has a work order now."""

    seq = fields.Integer()
    due = fields.Date()
    opens = fields.Date()
    late_after = fields.Date()
    work_order = fields.String()


class PlanOut(Schema):
    """A plan as the API shows it."""

    id = fields.Integer()
    asset = fields.String()
    template = fields.String()
    mode = fields.String()
    interval = fields.Nested(Interval)
    anchor = fields.Date()
    window = fields.Nested(WindowDays)
    next_due = fields.Date()
    active = fields.Boolean()
    held = fields.String(allow_none=True)
    open = fields.Nested(OpenOccurrence, allow_none=True)


class OccurrenceOut(Schema):
    """An occurrence as the API shows it."""

    plan = fields.Integer()
    asset = fields.String()
    template = fields.String()
    seq = fields.Integer()
    due = fields.Date()
    opens = fields.Date()
    late_after = fields.Date()
    state = fields.String()
    why = fields.String()
    outcome = fields.String(allow_none=True)
    work_order = fields.String(allow_none=True)
    done_on = fields.Date(allow_none=True)


class PlanList(Schema):
    """A page of plans."""

    items = fields.List(fields.Nested(PlanOut))
    next = fields.String(allow_none=True)


class OccurrenceList(Schema):
    """A page of occurrences."""

    items = fields.List(fields.Nested(OccurrenceOut))
    next = fields.String(allow_none=True)
