"""What people type into an address or a field, read with care."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import urlsplit

from apm.core.i18n import _l
from apm.core.storable import LARGEST
from apm.core.units import factor, known_unit, same_unit

LARGEST_EXPONENT = 30
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WRITTEN = {
    **_FULL_WIDTH,
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63, 0xFF0D), "-"),
    **dict.fromkeys((0x00A0, 0x2007, 0x2009, 0x202F, 0x3000), " "),
    **dict.fromkeys((0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)),
    0x3002: ".",  # the full stop of a Chinese keyboard
    0x00D7: "x",
}
_NUMBER = re.compile(
    r"(?P<sign>[+-]?) ?(?P<body>[0-9][0-9.,' ]*|[.,][0-9]+)"
    r"(?:(?:[eE]| ?[xX*] ?10 ?\^? ?)(?P<exponent>[+-]?[0-9]{1,6})(?![0-9]))? ?(?P<rest>.*)"
)
_MISREAD = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8",
                          "Z": "2"})  # fmt: skip
_LOOKS_READ = re.compile(r"[+-]?[0-9OolI|SBZ]+(?:[.,][0-9OolI|SBZ]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3}){2,}|[0-9]{1,3}(,[0-9]{3})+\.[0-9]*")
_GROUPED_BY_POINT = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]+")
_EITHER = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")


class BadNumber(ValueError):
    """What was typed is no number we may take; `message` says why and what to type instead.

    `code` is stable: `empty`, `not_a_number`, `not_finite`, `letters`, `ambiguous`, `other_unit`
    or `too_large`.
    """

    def __init__(self, code: str, message: object) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def number(text: str, *, unit: str | None = None) -> Decimal:
    """Return the number somebody typed, exactly; never guess.

    Taken: full-width digits and signs, a decimal comma (or the full stop of a Chinese keyboard),
    every kind of minus sign, thousands grouped beyond doubt, exponents (`1e3`, `1 x 10^3`), and
    the unit behind it where that is `unit`.  Another unit is refused, never converted: the message
    names the value to type where one is a power of ten of the other.

    Raises:
        BadNumber: it is none, or could be two.

    >>> str(number("１２．５")), str(number("−0,8 kpa", unit="kPa")), str(number("1,234.5"))
    ('12.5', '-0.8', '1234.5')
    """
    written = text.translate(_WRITTEN).strip()
    if not written:
        raise BadNumber("empty", _l("Type a number."))
    found = _NUMBER.fullmatch(written)
    if found is None or not _is_unit_of(found, unit):
        raise _refusal(written, found, unit)
    body = _without_groups(found["body"].strip())
    exponent = int(found["exponent"] or 0)
    value = Decimal(f"{found['sign']}{body}") if abs(exponent) <= LARGEST_EXPONENT else None
    if value is None or (value and abs(value.adjusted() + exponent) > LARGEST_EXPONENT):
        raise BadNumber("too_large", _l("This number is too large or too small. Check it."))
    return value.scaleb(exponent)


def _is_unit_of(found: re.Match[str], unit: str | None) -> bool:
    """Tell whether what follows the number may stand there: nothing, or the unit itself."""
    rest = found["rest"]
    if not rest:
        return True
    is_glued = not found["body"].endswith(" ") and not found[0].endswith(f" {rest}")
    if is_glued and rest[0] in "lIO":  # 5l may be 51
        return False
    return unit is not None and same_unit(rest, unit)


def _refusal(written: str, found: re.Match[str] | None, unit: str | None) -> BadNumber:
    if re.search(r"\b(?:inf|infinity|nan)\b|∞", written, re.IGNORECASE):
        return BadNumber("not_finite", _l("Give a finite number."))
    if _LOOKS_READ.fullmatch(written) and any(letter in "0123456789" for letter in written):
        meant = written.translate(_MISREAD)
        return BadNumber(
            "letters",
            _l(
                "There are letters among the digits. If %(meant)s is meant, type that.",
                meant=meant,
            ),
        )
    if found is not None and known_unit(found["rest"]):
        return _other_unit(found, unit)
    return BadNumber(
        "not_a_number", _l("This is not a number. Type digits alone, and the rest as a note.")
    )


def _other_unit(found: re.Match[str], unit: str | None) -> BadNumber:
    if unit is None:
        return BadNumber("other_unit", _l("Type the number without a unit."))
    said = found[0].removesuffix(found["rest"])
    times = factor(found["rest"], unit)
    try:
        exact = None if times is None else f"{number(said) * times:f}"
    except BadNumber:
        exact = None
    if exact is None:
        message = _l(
            "The value is wanted in %(unit)s. Measure or convert it, and type that.", unit=unit
        )
    else:
        meant = exact.rstrip("0").rstrip(".") if "." in exact else exact
        message = _l(
            "The value is wanted in %(unit)s. If %(meant)s %(unit)s is meant, type that.",
            unit=unit,
            meant=meant,
        )
    return BadNumber("other_unit", message)


def _without_groups(body: str) -> str:
    """Return digits with at most a decimal point, or raise: `1,234` may be either number."""
    if " " in body or "'" in body:
        raise BadNumber("ambiguous", _l("Type the digits without spaces between them."))
    if _EITHER.fullmatch(body):
        raise BadNumber(
            "ambiguous",
            _l(
                "%(typed)s can mean %(whole)s or %(decimal)s. Type one of these, without a comma.",
                typed=body,
                whole=body.replace(",", ""),
                decimal=body.replace(",", "."),
            ),
        )
    if _GROUPED.fullmatch(body):
        return body.replace(",", "")
    if _GROUPED_BY_POINT.fullmatch(body):
        return body.replace(".", "").replace(",", ".")
    if body.count(",") + body.count(".") > 1:
        raise BadNumber(
            "not_a_number", _l("There is more than one decimal point. Type the number again.")
        )
    return body.replace(",", ".")


def whole_number(text: str | None) -> int | None:
    """Return the number that `text` is; None for anything else, and for one no row can have.

    >>> whole_number("12"), whole_number("²"), whole_number("9" * 30), whole_number(None)
    (12, None, None, None)
    """
    if not text or not text.isascii() or not text.isdecimal() or len(text) > len(str(LARGEST)):
        return None
    number = int(text)
    return number if number <= LARGEST else None


def own_path(target: str | None, default: str) -> str:
    r"""Return where to go on, if it is a path of ours, else `default`: never another site.

    Browsers take `\` for `/` and drop line breaks, so that `/\elsewhere` leads elsewhere.

    >>> own_path("/assets?q=a", "/"), own_path("//elsewhere", "/"), own_path("/\\elsewhere", "/")
    ('/assets?q=a', '/', '/')
    """
    if not target or not target.startswith("/") or not target.isprintable() or "\\" in target:
        return default
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else target
