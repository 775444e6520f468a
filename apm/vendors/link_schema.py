"""What forms and JSON about links and visits must look like."""

from __future__ import annotations

from datetime import datetime

from marshmallow import Schema, ValidationError, fields, validate

from apm.assets.schema import has_odd_characters
from apm.core.i18n import _l
from apm.vendors.links import DAYS, MOST_DAYS
from apm.work.schema import LONG, NEEDED, SHORT
from apm.work.states import AsFound

TIME = {**NEEDED, "invalid": [_l("Give a day and a time.")]}


def _printable(text: str) -> None:
    if has_odd_characters(text):
        raise ValidationError([_l("There is a character here that cannot be printed. Retype it.")])


def _sane(at: datetime) -> None:
    if not 2000 <= at.year < 2100:
        raise ValidationError([_l("Give a day and a time.")])


def _name(*, required: bool = False) -> fields.String:
    lengths = validate.Length(min=1 if required else 0, max=80)
    if required:
        return fields.String(required=True, validate=[_printable, lengths], error_messages=NEEDED)
    return fields.String(load_default=None, allow_none=True, validate=[_printable, lengths])


class CompanyForm(Schema):
    """A company: one from the list, or typed in."""

    vendor = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 2**62))
    company = _name()
    phone = _name()


class LinkForm(CompanyForm):
    """A link to make."""

    days = fields.Integer(
        load_default=DAYS,
        validate=validate.Range(1, MOST_DAYS, error=_l("Choose from 1 to 60 days.")),
    )


class VisitBase(CompanyForm):
    """Who came, and what they did."""

    person = _name(required=True)
    done = fields.String(required=True, validate=validate.Length(1, 2000), error_messages=NEEDED)


class VisitForm(VisitBase):
    """A visit to write down; times by the clock of the hospital."""

    arrived_at = fields.NaiveDateTime(required=True, validate=_sane, error_messages=TIME)
    left_at = fields.NaiveDateTime(
        load_default=None, allow_none=True, validate=_sane, error_messages=TIME
    )


class NewVisit(VisitBase):
    """A visit to write down; times with their offset."""

    arrived_at = fields.AwareDateTime(
        format="iso", required=True, validate=_sane, error_messages=TIME
    )
    left_at = fields.AwareDateTime(
        format="iso", load_default=None, allow_none=True, validate=_sane, error_messages=TIME
    )


class ComeForm(Schema):
    """Who of the vendor is here."""

    person = _name(required=True)


class VendorStepForm(Schema):
    """What a vendor says when leaving, for now or for good."""

    reason = fields.String(load_default=None, allow_none=True, validate=LONG)
    expected_on = fields.Date(load_default=None, allow_none=True)
    cause = fields.String(load_default=None, allow_none=True, validate=SHORT)
    remedy = fields.String(load_default=None, allow_none=True, validate=LONG)
    labour_minutes = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(0, 100_000)
    )
    as_found = fields.Enum(AsFound, by_value=True, load_default=None, allow_none=True)


class HandInForm(Schema):
    """A note, with files beside it."""

    text = fields.String(load_default=None, allow_none=True, validate=LONG)


class LinkOut(Schema):
    """A link as staff see it: never its token, but once."""

    id = fields.Integer()
    company = fields.String()
    phone = fields.String(allow_none=True)
    created_by = fields.String()
    created_at = fields.AwareDateTime(format="iso")
    expires_at = fields.AwareDateTime(format="iso")
    revoked_at = fields.AwareDateTime(format="iso", allow_none=True)
    link = fields.String(metadata={"description": "The link itself; told once, when it is made."})


class LinkPage(Schema):
    """The links of one order."""

    items = fields.List(fields.Nested(LinkOut))
    next = fields.String(allow_none=True)


class VisitOut(Schema):
    """A visit."""

    id = fields.Integer()
    company = fields.String()
    person = fields.String()
    arrived_at = fields.AwareDateTime(format="iso")
    left_at = fields.AwareDateTime(format="iso", allow_none=True)
    done = fields.String(allow_none=True)
    by_link = fields.Function(lambda visit: visit.link_id is not None)
    recorded_by = fields.String()


class VisitPage(Schema):
    """The visits for one order."""

    items = fields.List(fields.Nested(VisitOut))
    next = fields.String(allow_none=True)
