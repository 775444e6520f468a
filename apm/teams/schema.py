"""What the forms of teams must look like, and how the API shows teams."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from apm.core.i18n import _l
from apm.core.storable import LARGEST
from apm.teams.model import Level

EARLIEST, LATEST = date(1990, 1, 1), date(2200, 1, 1)
NAME = validate.Length(1, 80)
SHORT = validate.Length(max=80)


class Clock(fields.Field[time]):
    """A time of day as `<input type="time">` sends it: `08:30`."""

    default_error_messages = {"invalid": _l("Give a time such as 08:30.")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> time:
        try:
            found = time.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValidationError([_l("Give a time such as 08:30.")]) from error
        if found.tzinfo is not None:
            raise ValidationError([_l("Give a time such as 08:30.")])
        return found.replace(second=0, microsecond=0)


def _day(**options: Any) -> fields.Date:
    message = _l("Give a day between 1990 and 2200.")
    return fields.Date(validate=validate.Range(EARLIEST, LATEST, error=message), **options)


def _id() -> fields.Integer:
    return fields.Integer(validate=validate.Range(1, LARGEST))


class TeamForm(Schema):
    """A team."""

    version = fields.Integer(load_default=None)
    name = fields.String(required=True, validate=NAME)
    name_zh = fields.String(load_default=None, validate=SHORT)
    lead = fields.Integer(load_default=None, validate=validate.Range(1, LARGEST))
    departments = fields.List(_id(), load_default=list)
    categories = fields.List(fields.String(validate=SHORT), load_default=list)
    members = fields.List(_id(), load_default=list)
    is_active = fields.Boolean(load_default=False)
    gives_work_out = fields.Boolean(load_default=False)


class CompetenceForm(Schema):
    """What somebody may work on."""

    category = fields.String(required=True, validate=SHORT)
    level = fields.Enum(Level, by_value=True, load_default=Level.ALONE)
    valid_until = _day(load_default=None)
    note = fields.String(load_default=None, validate=validate.Length(max=200))


class WeekForm(Schema):
    """Seven days of hours: `from_0` and `to_0` are Monday's."""

    @post_load
    def by_weekday(self, data: dict[str, Any], **_options: Any) -> dict[int, tuple[time, time]]:
        """Gather the pairs."""
        return {
            n: (data[f"from_{n}"], data[f"to_{n}"])
            for n in range(7)
            if data.get(f"from_{n}") is not None
        }

    @validates_schema
    def both_or_none(self, data: dict[str, Any], **_options: Any) -> None:
        """A shift has two ends, and they differ."""
        wrong = {}
        for n in range(7):
            begins, ends = data.get(f"from_{n}"), data.get(f"to_{n}")
            if (begins is None) != (ends is None):
                wrong["to_" + str(n)] = [_l("Give both times, or none.")]
            elif begins is not None and begins == ends:
                wrong["to_" + str(n)] = [_l("The end must differ from the beginning.")]
        if wrong:
            raise ValidationError(wrong)


WEEK = WeekForm.from_dict(
    {f"{end}_{n}": Clock(load_default=None) for n in range(7) for end in ("from", "to")},
    name="Week",
)


class DayForm(Schema):
    """One dated day: absent, or other hours."""

    day = _day(required=True)
    starts = Clock(load_default=None)
    ends = Clock(load_default=None)
    remark = fields.String(load_default=None, validate=SHORT)

    @validates_schema
    def both_or_none(self, data: dict[str, Any], **_options: Any) -> None:
        """Other hours have two ends, and they differ."""
        begins, ends = data.get("starts"), data.get("ends")
        if (begins is None) != (ends is None):
            raise ValidationError({"ends": [_l("Give both times, or none.")]})
        if begins is not None and begins == ends:
            raise ValidationError({"ends": [_l("The end must differ from the beginning.")]})


class HoursForm(Schema):
    """When the department works."""

    opens = Clock(required=True)
    closes = Clock(required=True)
    weekdays = fields.List(
        fields.Integer(validate=validate.Range(0, 6)), required=True, validate=validate.Length(1)
    )


class SpecialDayForm(Schema):
    """A holiday, or a week-end day that is worked."""

    day = _day(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["off", "worked"]))
    name = fields.String(load_default=None, validate=SHORT)


class PersonOut(Schema):
    """Somebody of a team."""

    id = fields.Integer()
    name = fields.String()
    on_duty = fields.Boolean()


class TeamOut(Schema):
    """A team as the API shows it."""

    id = fields.Integer()
    name = fields.String()
    name_zh = fields.String(allow_none=True)
    lead = fields.Integer(allow_none=True, metadata={"description": "The id of a person."})
    departments = fields.List(fields.String())
    categories = fields.List(fields.String())
    is_active = fields.Boolean()
    gives_work_out = fields.Boolean()
    members = fields.List(fields.Nested(PersonOut))


class TeamList(Schema):
    """All teams of the hospital."""

    items = fields.List(fields.Nested(TeamOut))
    next = fields.String(allow_none=True)
