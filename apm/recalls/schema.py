"""What a notice and a decision must look like, and how the API shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from apm.assets.schema import EARLIEST, LONG, LONG_NOTE, has_odd_characters
from apm.core.i18n import _l
from apm.core.paging import MOST
from apm.recalls.model import CaseState, Issuer, RecallClass


def _printable(text: str) -> None:
    if has_odd_characters(text):
        raise ValidationError([_l("There is a character here that cannot be printed. Retype it.")])


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError([_l("Fill this in.")])


def _needed() -> fields.String:
    return fields.String(
        required=True,
        validate=[_printable, _not_blank, validate.Length(max=LONG)],
        error_messages={"required": [_l("Fill this in.")]},
    )


def _short(**options: Any) -> fields.String:
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=[_printable, validate.Length(max=LONG)],
        **options,
    )


def _long() -> fields.String:
    return fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=LONG_NOTE)
    )


class NoticeIn(Schema):
    """A notice, from a form or from JSON."""

    number = _needed()
    issuer = fields.Enum(Issuer, by_value=True, required=True)
    published = fields.Date(
        required=True,
        attribute="published_on",
        validate=validate.Range(min=EARLIEST, error=_l("Give a day after 1950.")),
    )
    title = _needed()
    title_zh = _short()
    text = _long()
    action = _long()
    link = fields.String(
        load_default=None,
        allow_none=True,
        validate=[
            validate.Length(max=500),
            validate.Regexp(
                r"https?://[^\s\"'<>]+\Z",
                error=_l("Give the whole address, beginning with https://."),
            ),
        ],
    )
    manufacturer = _needed()
    models = _long()
    lot_from, lot_to, serial_from, serial_to = _short(), _short(), _short(), _short()

    class Meta:
        """The field whose name is a word of Python."""

        include = {
            "class": fields.Enum(
                RecallClass, by_value=True, required=True, attribute="recall_class"
            )
        }

    @post_load
    def _emptied(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        return {
            name: (value.strip() or None) if type(value) is str else value  # no enum
            for name, value in data.items()
        }


class DecisionIn(Schema):
    """What became of one asset."""

    state = fields.Enum(CaseState, by_value=True, required=True)
    note = _long()


class NoticeArgs(Schema):
    """Which notices to list."""

    state = fields.String(load_default="all", validate=validate.OneOf(["open", "closed", "all"]))
    q = fields.String(load_default="", validate=validate.Length(max=LONG))
    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MOST))


class CaseArgs(Schema):
    """Which part of the affected equipment to list."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=MOST))


class NoticeOut(Schema):
    """A notice, with how many assets it touches."""

    id = fields.Integer()
    number = fields.String()
    issuer = fields.Enum(Issuer, by_value=True)
    recall_class = fields.Enum(RecallClass, by_value=True, data_key="class")
    published_on = fields.Date(data_key="published")
    title = fields.String()
    title_zh = fields.String(allow_none=True)
    text = fields.String(allow_none=True)
    action = fields.String(allow_none=True)
    link = fields.String(allow_none=True)
    manufacturer = fields.String()
    models = fields.String(allow_none=True)
    lot_from = fields.String(allow_none=True)
    lot_to = fields.String(allow_none=True)
    serial_from = fields.String(allow_none=True)
    serial_to = fields.String(allow_none=True)
    closed_at = fields.DateTime(allow_none=True)
    affected = fields.Integer()
    to_check = fields.Integer()


class NoticeList(Schema):
    """Notices, the newest first."""

    items = fields.List(fields.Nested(NoticeOut))
    next = fields.String(allow_none=True)


class CaseOut(Schema):
    """One asset that a notice touches."""

    asset = fields.String()
    number = fields.String()
    serial = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    state = fields.Enum(CaseState, by_value=True)
    unsure = fields.Boolean()
    note = fields.String(allow_none=True)
    decided_by = fields.String(allow_none=True)
    decided_at = fields.DateTime(allow_none=True)
    work_order = fields.String(allow_none=True)


class CaseList(Schema):
    """The assets that a notice touches, as they were found."""

    items = fields.List(fields.Nested(CaseOut))
    next = fields.String(allow_none=True)


class OrdersOut(Schema):
    """The work orders that were opened now."""

    work_orders = fields.List(fields.String())
