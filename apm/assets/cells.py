"""From a cell to a value: dates, money, categories and states as people write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Any

from apm.assets.amounts import BadAmount, minor_units
from apm.assets.categories import find_category, nearest_category
from apm.assets.columns import Column, Kind, is_in_ten_thousands, state_of
from apm.assets.model import AssetState
from apm.assets.schema import (
    EARLIEST,
    LONG,
    LONG_NOTE,
    has_odd_characters,
    in_lines,
    in_one_line,
)
from apm.assets.spreadsheet import text_of
from apm.assets.workbook import Cell
from apm.core.i18n import _l

DAY = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))"
    r"(?:[ T]0{1,2}:00(?::00)?)?"
)
GUARDED = re.compile(r"'+[=+\-@\t\r]")
"""A cell that an export made harmless to spreadsheet programs; see `exporting.guarded`."""
LATEST = date(2200, 1, 1)


class BadCell(Exception):
    """A cell whose value cannot be used."""

    def __init__(self, code: str, message: object) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def value_of(column: Column, header: str, cell: Cell) -> Any:
    """Return what a cell says for a column; None for an empty one.

    Raises:
        BadCell: it says something that cannot be; the message names the remedy.
    """
    if column.kind is Kind.DAY and isinstance(cell, date):
        return _sensible(cell.date() if isinstance(cell, datetime) else cell)
    text = text_of(cell)
    if not text:
        return None
    if text.startswith("="):
        raise BadCell(
            "formula", _l("This is a formula. Replace it by its value: copy, paste as values.")
        )
    if GUARDED.match(text):
        text = text[1:]
    if has_odd_characters(text):
        raise BadCell(
            "bad_character", _l("There is a character here that cannot be printed. Retype it.")
        )
    if column.kind is Kind.MONEY:
        return _money(header, text)
    return READERS[column.kind](text, cell)


def _text(text: str, cell: Cell) -> str:
    _refuse_date(cell)
    return _short_enough(in_one_line(text), LONG)


def _note(text: str, _cell: Cell) -> str:
    return _short_enough(in_lines(text), LONG_NOTE)


def _short_enough(text: str, most: int) -> str:
    if len(text) > most:
        raise BadCell("too_long", _l("This text is too long: %(most)s at most.", most=most))
    return text


def _refuse_date(cell: Cell) -> None:
    # Spreadsheet programs turn a model such as 3-12 into the third of December.
    if isinstance(cell, date):
        raise BadCell(
            "date_in_text",
            _l("This cell holds a date. Format it as text and type what it should say."),
        )


def _category(text: str, _cell: Cell) -> str:
    if code := find_category(text):
        return code
    near = nearest_category(text)
    if near is None:
        raise BadCell(
            "unknown_category",
            _l("There is no category %(text)s. If nothing fits, write OTHER.", text=text),
        )
    raise BadCell(
        "unknown_category",
        _l(
            "There is no category %(text)s. Did you mean %(name)s (%(code)s)?",
            text=text,
            name=near.name,
            code=near.code,
        ),
    )


def _day(text: str, _cell: Cell) -> date:
    found = DAY.fullmatch(unicodedata.normalize("NFKC", text))
    numbers = [int(n) for n in found.groups() if n is not None] if found else []
    try:
        day = date(*numbers)
    except (TypeError, ValueError) as error:
        raise BadCell(
            "bad_date",
            _l("%(text)s is not a day. Write it like 2024-03-05.", text=text[:40]),
        ) from error
    return _sensible(day)


def _sensible(day: date) -> date:
    if not EARLIEST <= day < LATEST:
        raise BadCell(
            "bad_date",
            _l("%(day)s cannot be right. Correct the year.", day=day.isoformat()),
        )
    return day


def _money(header: str, text: str) -> int:
    try:
        return minor_units(text, ten_thousands=is_in_ten_thousands(header))
    except BadAmount as error:
        raise BadCell(error.code, error.message) from error


def _state(text: str, _cell: Cell) -> AssetState:
    state = state_of(text)
    if state is None:
        raise BadCell(
            "unknown_state",
            _l("%(text)s is no state. Write In service, Standby or Retired.", text=text[:40]),
        )
    return state


READERS = {
    Kind.TEXT: _text,
    Kind.NOTE: _note,
    Kind.CATEGORY: _category,
    Kind.DAY: _day,
    Kind.STATE: _state,
}
