"""What a part must look like, from a form or from JSON, and how the API shows it."""

from __future__ import annotations

from typing import Any, TypedDict

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

from apm.assets.amounts import MOST, BadAmount, minor_units
from apm.assets.categories import all_categories
from apm.assets.schema import LONG, LONG_NOTE, has_odd_characters, in_lines, in_one_line
from apm.core.i18n import _l
from apm.parts.model import Unit

MOST_LINES = 40
"""Barcodes or models of one part."""
MOST_DAYS = 1000


class PartDetails(TypedDict, total=False):
    """What may be said of a part; a field left out stays as it is, None clears it."""

    name_zh: str | None
    unit: Unit
    maker: str | None
    category: str | None
    is_consumable: bool
    price: int | None
    lead_days: int | None
    supplier: int | None
    minimum: object
    note: str | None
    fits: list[dict[str, str | None]]
    barcodes: list[str]
    is_active: bool


class PartChanges(PartDetails, total=False):
    """The same, and what a part cannot do without."""

    number: str
    name: str


def printable(text: str) -> None:
    """Refuse control characters."""
    if has_odd_characters(text):
        raise ValidationError([_l("There is a character here that cannot be printed. Retype it.")])


def short(*, required: bool = False) -> fields.String:
    """Return a field of one line."""
    if required:
        return fields.String(
            required=True,
            validate=[printable, validate.Length(min=1, max=LONG)],
            error_messages={"required": [_l("Fill this in.")]},
        )
    return fields.String(allow_none=True, validate=[printable, validate.Length(max=LONG)])


def _known_category(code: str) -> None:
    if code not in {entry.code for entry in all_categories()}:
        raise ValidationError([_l("There is no such category. Choose one of the list.")])


class Fit(Schema):
    """A model of equipment that a part goes into."""

    manufacturer = short(required=True)
    model = short()


class PartIn(Schema):
    """A new part, or changes to one (`partial=True`)."""

    class Meta:
        """A field that we do not know is a mistake of the sender's, not noise."""

        unknown = RAISE

    number = short(required=True)
    name = short(required=True)
    name_zh = short()
    unit = fields.Enum(Unit, by_value=True)
    maker = short()
    category = fields.String(allow_none=True, validate=_known_category)
    is_consumable = fields.Boolean()
    price: fields.Field[int] = fields.Integer(
        allow_none=True, strict=True, validate=validate.Range(min=0, max=MOST)
    )
    lead_days = fields.Integer(
        allow_none=True, strict=True, validate=validate.Range(min=0, max=MOST_DAYS)
    )
    supplier = fields.Integer(allow_none=True, metadata={"description": "Id of a vendor."})
    minimum = fields.Raw(metadata={"type": "number"})
    note = fields.String(allow_none=True, validate=[printable, validate.Length(max=LONG_NOTE)])
    fits: fields.Field[Any] = fields.List(
        fields.Nested(Fit), validate=validate.Length(max=MOST_LINES)
    )
    barcodes: fields.Field[Any] = fields.List(
        fields.String(validate=[printable, validate.Length(min=1, max=LONG)]),
        validate=validate.Length(max=MOST_LINES),
    )
    is_active = fields.Boolean()

    @pre_load
    def _trim(self, data: Any, **_options: object) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: self._tidy(k, v) if isinstance(v, str) else v for k, v in data.items()}

    def _tidy(self, name: str, text: str) -> str:
        return in_lines(text) if name in {"note", "fits", "barcodes"} else in_one_line(text)


class _Price(fields.Field[int]):
    """An amount as a person types it, kept in minor units."""

    def _deserialize(self, value: Any, *_args: Any, **_options: Any) -> int:
        try:
            return minor_units(str(value))
        except BadAmount as error:
            raise ValidationError([error.message]) from error


class _Lines(fields.Field[Any]):
    """One thing a line, as a text box holds them."""

    def _deserialize(self, value: Any, *_args: Any, **_options: Any) -> list[Any]:
        lines = [in_one_line(line) for line in str(value).splitlines() if line.strip()]
        if len(lines) > MOST_LINES or any(len(line) > LONG for line in lines):
            raise ValidationError(
                [_l("At most %(n)s lines of %(long)s characters.", n=MOST_LINES, long=LONG)]
            )
        for line in lines:
            printable(line)
        return [self.line(line) for line in lines]

    def line(self, text: str) -> Any:
        """Return what one line says."""
        return text


class _FitLines(_Lines):
    """`Manufacturer, model` on each line."""

    def line(self, text: str) -> dict[str, str | None]:
        """Return manufacturer and model; without a comma it is the manufacturer alone."""
        maker, _comma, model = text.replace("，", ",").partition(",")
        return {"manufacturer": maker.strip(), "model": model.strip() or None}


class PartForm(PartIn):
    """The HTML form: the same, but for what a person types differently."""

    price = _Price(allow_none=True)
    lead_days = fields.Integer(allow_none=True, validate=validate.Range(min=0, max=MOST_DAYS))
    fits = _FitLines()
    barcodes = _Lines()


class PartFilter(Schema):
    """The filters and the page of a list of parts."""

    q = fields.String(load_default="", validate=validate.Length(max=200))
    category = fields.String(load_default="")
    show = fields.String(
        load_default="",
        validate=validate.OneOf(["", "low", "expiring", "quarantined", "retired"]),
    )
    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=500))


class MoveQuery(Schema):
    """Where a list of moves goes on."""

    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=500))


class MoveIn(Schema):
    """A change of stock; `quantity` in the part's unit."""

    class Meta:
        """A field that we do not know is a mistake of the sender's, not noise."""

        unknown = RAISE

    kind = fields.String(
        required=True, validate=validate.OneOf(["receive", "issue", "return", "adjust", "scrap"])
    )
    quantity = fields.Raw(required=True, metadata={"type": "number"})
    store = short()
    lot = short()
    expires_on = fields.Date(allow_none=True)
    work_order = short()
    move = fields.Integer(metadata={"description": "Of a return: the issue it takes back."})
    reason = fields.String(allow_none=True, validate=[printable, validate.Length(max=LONG_NOTE)])
