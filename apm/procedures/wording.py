"""Limits, set points and parts as people read and type them, on a page or in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from apm.core.i18n import _l
from apm.core.typed import BadNumber, number
from apm.procedures.documents import Document
from apm.procedures.tolerance import NEEDS, exact

NUMBERS = ("limit", "low", "high", "abs", "rel", "ranges")
_BETWEEN = re.compile(r"[;；、\n]")
_COMMA = re.compile(r"[,，]")
_RANGE = re.compile(
    r"([\[(（［])\s*([^,，;；]+?)\s*[,，;；]\s*([^\])）］]+?)\s*([\])）］])\s*[:：=]?\s*([^%％]+?)\s*[%％]\s*"
)
_PART = re.compile(
    r"(?P<en>[^|｜]+)[|｜](?P<zh>[^|｜]+)[|｜]\s*(?P<every>[0-9]{1,6})\s*(?P<unit>[^|｜]+)"
)
_EVERY = {
    **dict.fromkeys(("months", "month", "个月", "月"), "months"),
    **dict.fromkeys(("hours", "hour", "h", "小时"), "hours"),
}
Errors = dict[str, list[object]]


class BadWords(ValueError):
    """What was typed cannot be read; `errors` says why, by field."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(str(sorted(errors)))
        self.errors = errors


def number_text(value: float) -> str:
    """Return a number as one types it.

    >>> number_text(0.3), number_text(1.0), number_text(1e-07)
    ('0.3', '1', '0.0000001')
    """
    text = f"{exact(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent_text(share: float) -> str:
    """Return a share as a percentage, exactly.

    >>> percent_text(0.15), percent_text(-0.3)
    ('15', '-30')
    """
    text = f"{exact(share) * 100:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tolerance_words(tolerance: Mapping[str, Any] | None) -> dict[str, str]:
    """Return a tolerance as the fields of a form: `rule` and its numbers, shares in percent."""
    if not tolerance:
        return {}
    words = {"rule": str(tolerance["type"])}
    for name in NUMBERS:
        value = tolerance.get(name)
        if name == "ranges" and value:
            words[name] = "; ".join(_range_text(one) for one in value)
        elif value is not None:
            is_share = name == "rel" or words["rule"] == "asym_rel"
            words[name] = percent_text(value) if is_share else number_text(value)
    return words


def _range_text(one: Mapping[str, Any]) -> str:
    first = "[" if one["from_inc"] else "("
    last = "]" if one["to_inc"] else ")"
    ends = f"{number_text(one['from'])}, {number_text(one['to'])}"
    return f"{first}{ends}{last} {percent_text(one['rel'])} %"


def read_tolerance(words: Mapping[str, str], unit: str | None) -> Document:
    """Return the tolerance that the fields of a form say; fields its rule has no use for are left.

    Raises:
        BadWords: a number cannot be read.
    """
    kind = words.get("rule", "")
    made: Document = {"type": kind}
    errors: Errors = {}
    for name in used_by(kind):
        typed = words.get(name, "").strip()
        if not typed:
            continue
        try:
            made[name] = _read(name, typed, kind, unit)
        except BadNumber as error:
            errors[name] = [error.message]
    if errors:
        raise BadWords(errors)
    return made


def used_by(kind: str) -> tuple[str, ...]:
    """Return the numbers that a rule may have."""
    return ("low", "high") if kind == "manufacturer" else NEEDS.get(kind, ())


def _read(name: str, typed: str, kind: str, unit: str | None) -> Any:
    if name == "ranges":
        return _read_ranges(typed, unit)
    if name == "rel" or kind == "asym_rel":
        return _plain(number(typed, unit="%") / 100)
    return _plain(number(typed, unit=unit))


def _plain(value: Decimal) -> float:
    return int(value) if value == value.to_integral_value() else float(value)


def _read_ranges(typed: str, unit: str | None) -> list[Document]:
    found, end = [], 0
    while end < len(typed):
        one = _RANGE.match(typed, end)
        if one is None:
            raise BadNumber(
                "not_a_range",
                _l("Write ranges such as [5, 20) 8 %; [20, 200] 6 %: a round bracket leaves out."),
            )
        first, low, high, last, share = one.groups()
        found.append(
            {
                "from": _plain(number(low, unit=unit)),
                "from_inc": first in "[［",
                "to": _plain(number(high, unit=unit)),
                "to_inc": last in "]］",
                "rel": _plain(number(share) / 100),
            }
        )
        end = one.end()
        while end < len(typed) and typed[end] in " ;；\n\r":
            end += 1
    return found


def points_text(points: Iterable[float | str] | None) -> str:
    """Return set points as one types them."""
    return "; ".join(str(point) for point in points or ())


def read_points(typed: str) -> list[float | str] | None:
    """Return the set points somebody typed, None if none; `14.0` stays apart from `14`.

    >>> read_points("50; １００；max")
    [50, 100, 'max']
    """
    pieces = [piece.strip() for piece in _BETWEEN.split(typed) if piece.strip()]
    if any(_COMMA.search(piece) for piece in pieces):
        message = _l("Put a semicolon between set points, and a point before decimals.")
        raise BadWords({"at": [message]})
    return [_point(piece) for piece in pieces] or None


def _point(text: str) -> float | str:
    if re.fullmatch(r"[+-]?[0-9]{1,12}\.[0-9]{1,12}", text):
        return float(text)
    try:
        return _plain(number(text))
    except BadNumber:
        return text


def lines_of(typed: str) -> list[str]:
    """Return the lines somebody typed, without the empty ones."""
    return [line.strip() for line in typed.splitlines() if line.strip()]


def part_text(part: Mapping[str, Any]) -> str:
    """Return what is replaced as one line."""
    return f"{part['en']} | {part['zh']} | {part['every']} {part['unit']}"


def read_parts(typed: str) -> list[Document]:
    """Return what is replaced, a line each, or raise `BadWords`."""
    found = []
    for position, line in enumerate(lines_of(typed), start=1):
        one = _PART.fullmatch(line)
        unit = _EVERY.get(one["unit"].strip().casefold()) if one else None
        if one is None or unit is None:
            says = _l("Line %(n)s: write “Battery | 电池 | 24 months”, or hours.", n=position)
            raise BadWords({"parts": [says]})
        found.append(
            {"en": one["en"].strip(), "zh": one["zh"].strip(), "every": int(one["every"]),
             "unit": unit}
        )  # fmt: skip
    return found
