"""From a spreadsheet to the assets it lists, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apm.assets.cells import BadCell, value_of
from apm.assets.columns import COLUMNS, REQUIRED, Column, column_of
from apm.assets.spreadsheet import Sheet, read_sheets, text_of
from apm.assets.workbook import Cell, Problem, Unreadable
from apm.core.i18n import _l

SEARCHED = 10
"""Rows at the top among which the headers are looked for: many lists begin with a title."""
MOST_PROBLEMS = 1000
FLAWS = {
    "formula": _l("This formula has no stored value. Replace it by its value."),
    "cell_error": _l("This cell shows an error. Correct it, or delete it."),
}


@dataclass(frozen=True, slots=True)
class ListedAsset:
    """One row of a list: its number in the spreadsheet and the fields it gives."""

    row: int
    values: dict[str, Any]


@dataclass(slots=True)
class Listing:
    """What a file says, before the register is looked at."""

    assets: list[ListedAsset] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    """Each field's header, as written."""
    ignored: list[str] = field(default_factory=list)
    """Headers that mean nothing to us."""


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    columns: dict[int, tuple[Column, str]]
    """By position from 0: the column and its header as written."""
    ignored: list[str]

    @property
    def fields(self) -> set[str]:
        return {column.field for column, _text in self.columns.values()}

    @property
    def missing(self) -> list[tuple[str, ...]]:
        return [group for group in REQUIRED if not self.fields & set(group)]


def read_listing(data: bytes) -> Listing:
    """Read an equipment list; problems say what is wrong, row by row."""
    listing = Listing()
    try:
        sheet, header = _best_sheet(read_sheets(data))
    except Unreadable as error:
        listing.problems.append(error.problem)
        return listing
    listing.headers = {column.field: text for column, text in header.columns.values()}
    listing.ignored = header.ignored
    listing.problems += [*_missing(header), *_doubled(header), *_merged(sheet, header)]
    if not listing.problems:
        _read_rows(listing, sheet, header)
    return listing


def _best_sheet(sheets: list[Sheet]) -> tuple[Sheet, _Header]:
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        message = _l("The file is empty. Choose the file with your list.")
        raise Unreadable(Problem(1, "", "empty_file", message))
    candidates = [
        (sheet, _header(number, sheet.rows[number]))
        for sheet in filled
        for number in list(sheet.rows)[:SEARCHED]
    ]
    return max(candidates, key=lambda found: (-len(found[1].missing), len(found[1].columns)))


def _header(number: int, cells: list[Cell]) -> _Header:
    texts = [(position, text_of(cell)) for position, cell in enumerate(cells)]
    known = {p: (column, text) for p, text in texts if text and (column := column_of(text))}
    return _Header(number, known, [text for p, text in texts if text and p not in known])


def _missing(header: _Header) -> list[Problem]:
    by_field = {column.field: column for column in COLUMNS}
    problems = []
    for group in header.missing:
        first = by_field[group[0]]
        would_do = [w for name in group for w in (by_field[name].zh, by_field[name].en)]
        message = _l("A column is missing. Add one called: %(names)s.", names=", ".join(would_do))
        problems.append(Problem(header.row, first.header, "missing_column", message))
    return problems


def _doubled(header: _Header) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for column, text in header.columns.values():
        if column.field in first:
            message = _l(
                "This column means the same as %(other)s. Delete one of them.",
                other=first[column.field],
            )
            problems.append(Problem(header.row, text, "duplicate_column", message))
        first.setdefault(column.field, text)
    return problems


def _merged(sheet: Sheet, header: _Header) -> list[Problem]:
    return [
        Problem(
            row,
            "",
            "merged_cells",
            _l("Cells %(area)s are merged. Unmerge them and fill in each one.", area=area),
        )
        for row, area in sheet.merged
        if row >= header.row
    ]


def _read_rows(listing: Listing, sheet: Sheet, header: _Header) -> None:
    seen: dict[str, int] = {}
    for number, cells in sheet.rows.items():
        if number <= header.row:
            continue
        values = _read_row(listing, sheet, header, number, cells)
        if values is None:
            continue
        known = seen.setdefault(values["number"], number) if values.get("number") else number
        if known != number:
            message = _l(
                "Row %(row)s has the same asset number. Each asset needs its own.", row=known
            )
            listing.problems.append(
                Problem(number, listing.headers["number"], "duplicate_number", message)
            )
        listing.assets.append(ListedAsset(number, values))
        if len(listing.problems) >= MOST_PROBLEMS:
            message = _l("There are more problems below. Correct these first.")
            listing.problems.append(Problem(number, "", "more_problems", message))
            return


def _read_row(
    listing: Listing, sheet: Sheet, header: _Header, number: int, cells: list[Cell]
) -> dict[str, Any] | None:
    """Return a row's values by field, None for an empty row; note what is wrong with it."""
    values: dict[str, Any] = {}
    before = len(listing.problems)
    for position, (column, text) in header.columns.items():
        cell = cells[position] if position < len(cells) else None
        flaw = sheet.flaws.get((number, position + 1))
        if flaw:
            listing.problems.append(Problem(number, text, flaw, FLAWS[flaw]))
            continue
        try:
            values[column.field] = value_of(column, text, cell)
        except BadCell as error:
            listing.problems.append(Problem(number, text, error.code, error.message))
    is_sound = len(listing.problems) == before
    if is_sound and all(value is None for value in values.values()):
        return None
    if is_sound:
        listing.problems += _unfilled(listing, number, values)
    if values.get("name") is None and "name" in values:
        values["name"] = values.get("name_zh")
    if values.get("lifecycle") is None:
        values.pop("lifecycle", None)
    return values


def _unfilled(listing: Listing, number: int, values: dict[str, Any]) -> list[Problem]:
    message = _l("This cell is empty, but every asset needs it. Fill it in.")
    empty = [group for group in REQUIRED if not any(values.get(name) for name in group)]
    headers = [next(listing.headers[n] for n in group if n in listing.headers) for group in empty]
    return [Problem(number, header, "required", message) for header in headers]
