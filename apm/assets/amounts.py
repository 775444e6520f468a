"""Amounts of money as people write them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from apm.core.i18n import _l

MOST = 10**13
"""In minor units: more than any device costs, less than a 64-bit column holds."""


class BadAmount(ValueError):
    """A text is no amount we can keep; `message` says what to do."""

    def __init__(self, code: str, message: object) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def minor_units(text: str, *, ten_thousands: bool = False) -> int:
    """Return an amount as people write it in minor units (fen); 万 counts ten thousand.

    >>> minor_units("¥12,345.60"), minor_units("1.5", ten_thousands=True)
    (1234560, 1500000)

    Raises:
        BadAmount: it is no amount, negative, or finer than the smallest coin.
    """
    digits = re.sub(r"[,\s¥￥$€元]", "", unicodedata.normalize("NFKC", text))
    digits, times = re.subn("万$", "", digits)
    try:
        amount = Decimal(digits)
    except InvalidOperation as error:
        raise _no_amount(text) from error
    if not amount.is_finite():
        raise _no_amount(text)
    if amount < 0:
        message = _l("A price cannot be negative. Remove the minus sign.")
        raise BadAmount("negative_price", message)
    if amount > MOST:
        raise BadAmount("bad_price", _l("This price is too high. Check the unit."))
    minor = amount * 100 * (10_000 if ten_thousands or times else 1)
    whole = round(minor, 3)  # a spreadsheet's own arithmetic leaves a tail such as 0.30000000004
    if whole != whole.to_integral_value():
        raise BadAmount("bad_price", _l("A price has two decimals at most. Round it."))
    if whole > MOST:
        raise BadAmount("bad_price", _l("This price is too high. Check the unit."))
    return int(whole)


def _no_amount(text: str) -> BadAmount:
    message = _l("%(text)s is not an amount. Write it like 1234.50.", text=text[:40])
    return BadAmount("bad_price", message)
