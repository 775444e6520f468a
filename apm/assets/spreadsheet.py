"""Reading a spreadsheet into rows of plain cells, whatever somebody sends.

What a file is, is decided by its content: its name says nothing.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import date

from apm.assets import workbook
from apm.assets.workbook import Cell, Problem, Unreadable
from apm.core.i18n import _l

MOST_BYTES = 64 * 1024 * 1024
NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]")
NO_CHINESE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd\ue000-\uf8ff]")
"""Almost any bytes can be read as GB18030: what was not meant so ends in its private areas."""
SIGNATURES = {
    b"MZ": "exe",
    b"\x7fELF": "elf",
    b"%PDF": "pdf",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"\x1f\x8b": "gzip",
    b"Rar!": "rar",
    b"7z\xbc\xaf": "7z",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: cells by row, numbered as the spreadsheet program numbers them, from 1."""

    rows: dict[int, list[Cell]]
    flaws: dict[tuple[int, int], str] = field(default_factory=dict)
    """Cells (row, column; from 1) whose value cannot be known: `formula` or `cell_error`."""
    merged: list[tuple[int, str]] = field(default_factory=list)
    """First row and range of each group of merged cells."""


def read_sheets(data: bytes) -> list[Sheet]:
    """Return the tables of a file: one of a text file, all of a workbook, never none.

    Raises:
        Unreadable: it is no spreadsheet we read; the problem says why and what to do.
    """
    if len(data) > MOST_BYTES:
        raise _unreadable("too_large", workbook.TOO_LARGE)
    if not data.strip():
        raise _unreadable("empty_file", _l("The file is empty. Choose the file with your list."))
    if data.startswith(b"PK\x03\x04"):
        tables = workbook.read(data)
        return [Sheet(t.rows, t.flaws, t.merged) for t in tables]
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable(
            "old_excel",
            _l(
                "This is an old or password-protected Excel file. Save it as .xlsx without a"
                " password."
            ),
        )
    return [Sheet(_rows_of_text(_decoded(data)))]


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _wrong_encoding(1)
    if any(data.startswith(start) for start in SIGNATURES) or b"\x00" in data:
        raise _unreadable(
            "not_a_spreadsheet",
            _l("This is not a spreadsheet, whatever its name says. Send a .xlsx or .csv file."),
        )
    try:
        return _checked(data.decode("utf-8-sig"), NO_TEXT)
    except UnicodeDecodeError as error:
        try:
            return _checked(data.decode("gb18030"), NO_CHINESE)
        except UnicodeDecodeError:
            raise _wrong_encoding(data.count(b"\n", 0, error.start) + 1) from error


def _checked(text: str, impossible: re.Pattern[str]) -> str:
    """Return `text` unless it holds what only a wrong encoding makes of letters."""
    for number, line in enumerate(text.split("\n"), start=1):
        if impossible.search(line):
            raise _wrong_encoding(number)
    return text


def _wrong_encoding(row: int) -> Unreadable:
    return _unreadable(
        "wrong_encoding",
        _l("The text cannot be read in this line. Save the file as .xlsx, or as CSV UTF-8."),
        row=row,
    )


def _rows_of_text(text: str) -> dict[int, list[Cell]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: dict[int, list[Cell]] = {}
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            workbook.check_size(number, len(cells))
            if any(cell.strip() for cell in cells):
                rows[number] = list(cells)
    except csv.Error as error:
        if "field larger" in str(error):
            raise _unreadable(
                "too_long", _l("A cell of this row is far too long. Correct it."), row=number + 1
            ) from error
        raise _unreadable(
            "broken_csv",
            _l("A quotation mark is not closed or stands inside a cell. Correct it here."),
            row=max(reader.line_num, 1),
        ) from error
    return rows


def _unreadable(code: str, message: object, row: int = 1) -> Unreadable:
    return Unreadable(Problem(row, "", code, message))


def text_of(cell: Cell) -> str:
    """Return a cell as one would type it; a whole number has no decimal point.

    >>> text_of(12.0), text_of(2.5), text_of(None)
    ('12', '2.5', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()
