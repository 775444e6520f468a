"""Reading an .xlsx workbook without trusting it.

The fast reader allocates a rectangle up to the farthest cell a sheet names, shows the error
values of a spreadsheet as empty, and does not tell a formula without a value from an empty cell.
So each part is first parsed here with expat: sizes, formulas, error values and merged cells.
The fast reader is then given exactly what was checked, repacked: an archive's own directory of
sizes may lie.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from apm.core.i18n import _l

MOST_ROWS = 200_000
MOST_COLUMNS = 200
MOST_CELLS = 6_000_000
"""Of the rectangle that holds them all: what the fast reader takes memory for."""
MOST_UNPACKED = 200 * 1024 * 1024
CALCULATIONS = "xl/calcChain.xml"
"""The order to calculate cells in; it looks like a sheet with its cells in disorder."""
TOO_LARGE = _l("The file is too large. Split it into smaller ones.")
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
    expat.ExpatError, CalamineError, LookupError, ValueError,
)  # fmt: skip
"""What the readers raise on a file that is not what it says: packed in an unknown way, locked."""

Cell = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file was refused: the spreadsheet's row, the header as written, what to do."""

    row: int
    column: str
    code: str
    """Stable, for programs."""
    message: object


class Unreadable(Exception):
    """The file as a whole cannot be used."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@dataclass(slots=True)
class Table:
    """One worksheet; rows and columns count from 1."""

    rows: dict[int, list[Cell]] = field(default_factory=dict)
    flaws: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[tuple[int, str]] = field(default_factory=list)


def check_size(row: int, columns: int) -> None:
    """Raise `Unreadable` beyond what one import may hold."""
    if row > MOST_ROWS:
        raise _unreadable(
            "too_many_rows",
            _l("There are more than %(most)s rows. Split the file.", most=MOST_ROWS),
            row,
        )
    if columns > MOST_COLUMNS:
        raise _unreadable(
            "too_wide",
            _l("There are more than %(most)s columns. Delete some.", most=MOST_COLUMNS),
            row,
        )


def read(data: bytes) -> list[Table]:
    """Return the worksheets of an .xlsx file, in order.

    Raises:
        Unreadable: no workbook, damaged, or larger than one import may be.
    """
    try:
        parts = _parts(data)
        tables = {name: _scanned(parts[name]) for name in parts if _is_content(name)}
        order = _sheet_parts(parts)
        book = CalamineWorkbook.from_filelike(io.BytesIO(_packed(parts)))
        found = []
        for position, name in enumerate(order):
            table = tables[name]
            _fill(table, book, position)
            found.append(table)
    except BROKEN as error:
        raise _damaged() from error
    return found


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [
            entry
            for entry in archive.infolist()
            if entry.filename.endswith((".xml", ".rels")) and entry.filename != CALCULATIONS
        ]
        if not any(entry.filename == "xl/workbook.xml" for entry in entries):
            raise _unreadable(
                "not_a_spreadsheet",
                _l("This archive is not a spreadsheet. Send a .xlsx or .csv file."),
            )
        if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
            raise _unreadable("too_large", TOO_LARGE)
        return {entry.filename: archive.read(entry) for entry in entries}


def _is_content(name: str) -> bool:
    return name.startswith("xl/") and name.endswith(".xml")


def _packed(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _fill(table: Table, book: CalamineWorkbook, position: int) -> None:
    cells = book.get_sheet_by_index(position).to_python(skip_empty_area=False)
    for number, row in enumerate(cells, start=1):
        if any(cell != "" for cell in row) or any(at == number for at, _c in table.flaws):
            table.rows[number] = [None if cell == "" else cell for cell in row]


def _sheet_parts(parts: dict[str, bytes]) -> list[str]:
    """Return the parts of the worksheets in the order of their tabs."""
    targets: dict[str, str] = {}

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name.endswith("Relationship") and attributes["Type"].endswith("/worksheet"):
            target = attributes["Target"]
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            targets[attributes["Id"]] = path

    _parse(parts["xl/_rels/workbook.xml.rels"], relation)
    order: list[str] = []

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "sheet":
            identifier = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            order.append(targets[identifier])

    _parse(parts["xl/workbook.xml"], sheet)
    return order


def _parse(content: bytes, start: Callable[[str, dict[str, str]], None]) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = start
    parser.Parse(content, True)  # noqa: FBT003  (expat knows no keywords)


def _no_doctype(*_declared: object) -> None:
    raise _damaged()


def _scanned(content: bytes) -> Table:
    scan = _Scan()
    scan.parser.Parse(content, True)  # noqa: FBT003  (expat knows no keywords)
    return scan.table


class _Scan:
    """One pass over a part: how far its cells reach and which of them have no value."""

    def __init__(self) -> None:
        self.table = Table()
        self.row = self.column = self.last_row = self.last_column = 0
        self.is_formula = self.has_value = False
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = _no_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._enter_row(int(attributes.get("r", self.row + 1)))
                self.column = 0
            case "c":
                self._cell(attributes)
            case "f":
                self.is_formula = True
            case "v" | "t" if self.is_formula:
                self.parser.CharacterDataHandler = self._value
            case "mergeCell":
                ref = attributes.get("ref", "")
                first = REFERENCE.match(ref)
                self.table.merged.append((int(first[2]) if first else 1, ref))

    def _enter_row(self, row: int) -> None:
        """Go on in `row`: the fast reader ends the process when a later row is less than it."""
        check_size(row, 0)
        if row < max(self.row, 1):
            raise _damaged()
        self.row = row

    def _cell(self, attributes: dict[str, str]) -> None:
        self.column += 1
        if "r" in attributes:
            at = REFERENCE.fullmatch(attributes["r"])
            if at is None:
                raise _damaged()
            self.column = _column_number(at[1])
            self._enter_row(int(at[2]))
        check_size(self.row, self.column)
        self.last_row, self.last_column = (
            max(self.last_row, self.row),
            max(self.last_column, self.column),
        )
        if self.last_row * self.last_column > MOST_CELLS:
            raise _unreadable("too_large", TOO_LARGE, self.row)
        self.is_formula = self.has_value = False
        if attributes.get("t") == "e":
            self.table.flaws[self.row, self.column] = "cell_error"

    def _value(self, text: str) -> None:
        self.has_value = self.has_value or bool(text)

    def _end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "v" | "t":
                self.parser.CharacterDataHandler = None
            case "c" if self.is_formula and not self.has_value:
                self.table.flaws.setdefault((self.row, self.column), "formula")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _damaged() -> Unreadable:
    return _unreadable(
        "damaged", _l("The workbook is damaged. Open it, save it again as .xlsx, and retry.")
    )


def _unreadable(code: str, message: object, row: int = 1) -> Unreadable:
    return Unreadable(Problem(row, "", code, message))
