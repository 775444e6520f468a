"""Quantities of parts: typed by people, kept in thousandths of the unit."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation

from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.parts.model import DIVISIBLE, Unit

MILLI = 1000
MOST = 1_000_000
"""Units in one move: more is a slip of the finger, or a barcode in the wrong field."""


def milli_of(typed: object, unit: Unit, *, field: str = "quantity", least: int = 1) -> int:
    """Return a quantity as typed (`2`, `0,5`) in thousandths of `unit`.

    Args:
        typed: what somebody typed, or a number of JSON.
        unit: what the part is counted in; a piece cannot be halved.
        field: the field that a refusal is about.
        least: the smallest that will do, in thousandths; 1 means above zero.

    Raises:
        Invalid: it is no number, too small, too large, or a fraction where there is none.

    >>> milli_of("2", Unit.PIECE), milli_of("0,25", Unit.LITRE)
    (2000, 250)
    """
    milli = _number(typed, field) * MILLI
    if milli != milli.to_integral_value():
        raise _wrong(field, _l("Three decimals at most. Round the quantity."))
    if milli < least:
        positive = _l("Give a quantity above zero.")
        raise _wrong(field, positive if least > 0 else _l("A quantity cannot be negative."))
    if milli > MOST * MILLI:
        raise _wrong(field, _l("This quantity is too large. Check it: at most 1,000,000."))
    if unit not in DIVISIBLE and milli % MILLI:
        raise _wrong(field, _l("This part is counted in whole units. Give a whole number."))
    return int(milli)


def _number(typed: object, field: str) -> Decimal:
    text = unicodedata.normalize("NFKC", str(typed)).strip().replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise _wrong(field, _l("Give a quantity such as 2.")) from error
    if isinstance(typed, bool) or not number.is_finite():
        raise _wrong(field, _l("Give a quantity such as 2."))
    if number.adjusted() > len(str(MOST)):
        raise _wrong(field, _l("This quantity is too large. Check it: at most 1,000,000."))
    return number


def _wrong(field: str, message: object) -> Invalid:
    return Invalid(message, fields={field: [message]}, code="bad_quantity")


def plain(milli: int) -> str:
    """Return a quantity as a number people type.

    >>> plain(2000), plain(250), plain(-1500)
    ('2', '0.25', '-1.5')
    """
    return f"{Decimal(milli) / MILLI:f}"


def cost_of(price: int | None, milli: int) -> int:
    """Return what a quantity costs in fen, rounded half up; nothing without a price."""
    return ((price or 0) * milli + MILLI // 2) // MILLI
