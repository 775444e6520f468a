"""Measured values as instruments write them: with commas, units, full-width digits, `> 99.9`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from apm.core.i18n import _l

NUMBER = re.compile(
    r"([<>≤≥]?=?)\s*([+-]?[\d.,' ]*\d[\d.,' ]*?(?:e[+-]?\d{1,3})?)\s*([^\d\s].*)?", re.IGNORECASE
)
LOOKALIKES = re.compile(r"(?<![A-Za-z])[OolIS](?=[\d.,])|(?<=[\d.,])[OolIS](?![A-Za-z])")
UNITS = {
    "ohm": {"ohm": 1.0, "ω": 1.0, "ohms": 1.0, "欧": 1.0, "mohm": 1e-3, "mω": 1e-3, "毫欧": 1e-3,
            "kohm": 1e3, "kω": 1e3},
    "Mohm": {"Mohm": 1.0, "Mω": 1.0, "MΩ": 1.0, "兆欧": 1.0, "kohm": 1e-3, "kω": 1e-3,
             "Gohm": 1e3, "Gω": 1e3, "ohm": 1e-6, "ω": 1e-6},
    "uA": {"ua": 1.0, "μa": 1.0, "微安": 1.0, "ma": 1e3, "毫安": 1e3, "na": 1e-3, "a": 1e6},
}  # fmt: skip
"""What one of a maker's unit is in ours.  In resistance a capital M is a million."""
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%Y年%m月%d日", "%Y%m%d")
CLOCKS = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S")
EARLIEST = date(2000, 1, 1)


class BadValue(ValueError):
    """A text that does not say what it should; `message` names the remedy."""

    def __init__(self, code: str, message: object) -> None:
        super().__init__(code)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Measured:
    """A number in our unit; `bound` is `>` or `<` where the instrument could not tell more."""

    value: float
    bound: str = ""


def measured(text: str, unit: str, wanted: str) -> Measured:
    """Return what a text says in the unit `wanted`; `unit` is what the file's unit column says.

    Raises:
        BadValue: it is no number, could be two, or has a unit that does not fit.

    >>> measured("0,087 Ω", "", "ohm").value
    0.087
    >>> measured("＞ 199.9", "MΩ", "Mohm")
    Measured(value=199.9, bound='>')
    """
    tidy = unicodedata.normalize("NFKC", text).strip()
    if LOOKALIKES.search(tidy):
        raise BadValue(
            "lookalike",
            _l("%(text)s holds a letter that looks like a digit. Correct it.", text=text[:40]),
        )
    found = NUMBER.fullmatch(tidy)
    if found is None:
        raise BadValue("no_number", _l("%(text)s is no number.", text=text[:40]))
    bound = found[1].replace("≤", "<").replace("≥", ">")[:1]
    value = _number(found[2], text)
    return Measured(value * _factor(found[3] or unit, wanted), bound)


def _number(digits: str, text: str) -> float:
    """Return the number; a comma is a decimal one unless it can only group thousands."""
    joined = digits.replace(" ", "").replace("'", "")
    if "," in joined and "." in joined:
        grouping = "," if joined.rfind(".") > joined.rfind(",") else "."
        joined = joined.replace(grouping, "").replace(",", ".")
    elif "," in joined:
        if joined.count(",") > 1 or re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", joined):
            raise BadValue(
                "two_ways",
                _l("%(text)s can be read in two ways. Write it without a comma.", text=text[:40]),
            )
        joined = joined.replace(",", ".")
    try:
        return float(joined)
    except ValueError as error:
        raise BadValue("no_number", _l("%(text)s is no number.", text=text[:40])) from error


def _factor(unit: str, wanted: str) -> float:
    known = UNITS.get(wanted)
    said = unicodedata.normalize("NFKC", unit).strip().replace("µ", "μ").replace("Ω", "ω")
    if not said or said == wanted or known is None:
        if said and said != wanted and known is None:
            raise _bad_unit(unit, wanted)
        return 1.0
    # Milliohm and megohm differ by one capital letter, so that letter counts.
    for form in (said, said[0] + said[1:].lower(), said.lower() if said[0] != "M" else said):
        if form in known:
            return known[form]
    raise _bad_unit(unit, wanted)


def _bad_unit(unit: str, wanted: str) -> BadValue:
    return BadValue(
        "bad_unit",
        _l("The unit %(unit)s cannot be turned into %(ours)s.", unit=unit[:20], ours=wanted),
    )


def moment(text: str, zone: str, now: datetime) -> datetime:
    """Return the instant a text says, in the hospital's time zone unless it names another.

    Raises:
        BadValue: it says no day that can be.
    """
    tidy = unicodedata.normalize("NFKC", text).strip().removesuffix("Z")
    tidy = re.sub(r"\.\d+$", "", tidy) if ":" in tidy else tidy
    for day in DAYS:
        for clock in CLOCKS:
            try:
                naive = datetime.strptime(tidy, day + clock)  # noqa: DTZ007  (made aware below)
            except ValueError:
                continue
            return _sensible(naive, text, zone, now)
    try:
        aware = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadValue(
            "bad_date", _l("%(text)s is not a day. Write it like 2024-03-05.", text=text[:40])
        ) from error
    return _sensible(aware, text, zone, now)


def _sensible(said: datetime, text: str, zone: str, now: datetime) -> datetime:
    if text.strip().endswith("Z"):
        said = said.replace(tzinfo=UTC)
    at = said if said.tzinfo else said.replace(tzinfo=ZoneInfo(zone))
    if said.time() == time(0) and at.tzinfo is not UTC:
        at = at.replace(hour=12)  # a day without a time: noon, so that it stays that day
    if not at.date() >= EARLIEST or at > now.replace(hour=23, minute=59).astimezone(UTC):
        raise BadValue(
            "bad_date", _l("%(day)s cannot be right. Correct the year.", day=at.date().isoformat())
        )
    return min(at.astimezone(UTC), now)
