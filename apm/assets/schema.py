"""What an asset must look like, from a form or from JSON, and how the API shows it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, TypedDict

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

from apm.assets.amounts import MOST, BadAmount, minor_units
from apm.assets.categories import all_categories
from apm.assets.model import Asset, AssetState, Availability, Condition
from apm.core.i18n import _l

LONG = 120
LONG_NOTE = 2000
EARLIEST = date(1950, 1, 1)


class AssetDetails(TypedDict, total=False):
    """What may be said of an asset; a field left out stays as it is, None clears it."""

    name_zh: str | None
    manufacturer: str | None
    model: str | None
    serial: str | None
    udi_di: str | None
    lot: str | None
    department: str | None
    location: str | None
    purchased_on: date | None
    in_service_on: date | None
    warranty_until: date | None
    purchase_cost: int | None
    note: str | None
    lifecycle: AssetState
    availability: Availability
    condition: Condition


class AssetChanges(AssetDetails, total=False):
    """The same, and the three fields that an asset cannot do without."""

    number: str
    name: str
    category: str


ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff]")


def has_odd_characters(text: str) -> bool:
    """Tell whether text holds what no keyboard types: control characters, half characters."""
    return ODD.search(text) is not None


def in_one_line(text: str) -> str:
    """Return text without line breaks and doubled blanks, as a name or a number is kept."""
    return " ".join(text.split())


def in_lines(text: str) -> str:
    """Return a longer text with plain line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _printable(text: str) -> None:
    if has_odd_characters(text):
        raise ValidationError([_l("There is a character here that cannot be printed. Retype it.")])


def _filled(text: str) -> None:
    if not text.strip():
        raise ValidationError([_l("Fill this in.")])


def _known_category(code: str) -> None:
    if code not in {entry.code for entry in all_categories()}:
        raise ValidationError([_l("There is no such category. Choose one of the list.")])


def _short(*, required: bool = False) -> fields.String:
    if required:
        return fields.String(
            required=True, validate=[_filled, _printable, validate.Length(max=LONG)]
        )
    return fields.String(allow_none=True, validate=[_printable, validate.Length(max=LONG)])


def _day() -> fields.Date:
    message = _l("Give a day from %(earliest)s on.", earliest=EARLIEST.isoformat())
    return fields.Date(allow_none=True, validate=validate.Range(min=EARLIEST, error=message))


class AssetIn(Schema):
    """A new asset, or changes to one (`partial=True`)."""

    class Meta:
        """A field that we do not know is a mistake of the sender's, not noise."""

        unknown = RAISE

    number = _short(required=True)
    name = _short(required=True)
    category = fields.String(required=True, validate=_known_category)
    name_zh = _short()
    manufacturer = _short()
    model = _short()
    serial = _short()
    udi_di = _short()
    lot = _short()
    department = _short()
    location = _short()
    purchased_on = _day()
    in_service_on = _day()
    warranty_until = _day()
    purchase_cost: fields.Field[int] = fields.Integer(
        allow_none=True, strict=True, validate=validate.Range(min=0, max=MOST)
    )
    note = fields.String(allow_none=True, validate=[_printable, validate.Length(max=LONG_NOTE)])
    lifecycle = fields.Enum(AssetState, by_value=True)
    availability = fields.Enum(Availability, by_value=True)
    condition = fields.Enum(Condition, by_value=True)

    @pre_load
    def _trim(self, data: Any, **_options: object) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: _tidy(k, v) if isinstance(v, str) else v for k, v in data.items()}


def _tidy(name: str, text: str) -> str:
    return in_lines(text) if name == "note" else in_one_line(text)


class Price(fields.Field[int]):
    """An amount as a person types it, kept in minor units."""

    def _deserialize(self, value: Any, *_args: Any, **_options: Any) -> int:
        try:
            return minor_units(str(value))
        except BadAmount as error:
            raise ValidationError([error.message]) from error


class AssetForm(AssetIn):
    """The HTML form: the same, but for what a person types differently."""

    purchase_cost = Price(allow_none=True)


class AssetFilter(Schema):
    """The filters and the page of a list of assets."""

    q = fields.String(load_default="", validate=validate.Length(max=200))
    department = fields.String()
    location = fields.String()
    category = fields.String()
    lifecycle = fields.Enum(AssetState, by_value=True)
    availability = fields.Enum(Availability, by_value=True)
    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=500))


class AssetOut(Schema):
    """An asset as the API shows it."""

    code = fields.String()
    number = fields.String()
    name = fields.String()
    name_zh = fields.String(allow_none=True)
    category = fields.String()
    manufacturer = fields.String(allow_none=True)
    model = fields.String(allow_none=True)
    serial = fields.String(allow_none=True)
    udi_di = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    department = fields.Function(lambda asset: _name(asset.department))
    location = fields.Function(lambda asset: _name(asset.location))
    lifecycle = fields.Enum(AssetState, by_value=True)
    availability = fields.Enum(Availability, by_value=True)
    condition = fields.Enum(Condition, by_value=True)
    risk = fields.Function(lambda asset: asset.risk.value)
    purchased_on = fields.Date(allow_none=True)
    in_service_on = fields.Date(allow_none=True)
    warranty_until = fields.Date(allow_none=True)
    purchase_cost = fields.Integer(allow_none=True)
    currency = fields.String()
    note = fields.String(allow_none=True)


class AssetPageOut(Schema):
    """A page of a list of assets."""

    items = fields.List(fields.Nested(AssetOut))
    next = fields.String(allow_none=True)


def _name(place: Any) -> str | None:
    return place.name if place is not None else None


def values_of(asset: Asset) -> dict[str, Any]:
    """Return what the form shows of an asset, by field name."""
    shown: dict[str, Any] = AssetOut().dump(asset)
    return shown
