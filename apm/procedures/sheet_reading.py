"""Reading templates from a spreadsheet: what is wrong is named by sheet, row and column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from apm.assets.exporting import guarded
from apm.assets.spreadsheet import Sheet, read_sheets, text_of
from apm.assets.workbook import Unreadable
from apm.core.i18n import _l
from apm.procedures.documents import Document
from apm.procedures.files import BadFile, Flaw
from apm.procedures.schema import DocumentIn, flat
from apm.procedures.sheets import FREE, WORDED, Layout, column_of, layouts
from apm.procedures.wording import BadWords, lines_of, read_points, read_tolerance, used_by
from apm.procedures.words import WORDS, values_of, word

WHOLE = frozenset({"interval_months", "minutes", "every"})
LISTS = frozenset({"tools", "spares", "metrology", "absorbs"})
CELL_FLAWS = {
    "formula": _l("This cell holds a formula without a value. Type the value itself."),
    "cell_error": _l("This cell shows an error of the spreadsheet. Correct it."),
}
Path = tuple[str | int, ...]


@dataclass(slots=True)
class _Row:
    """One row: its cells as text by field."""

    sheet: str
    number: int
    cells: dict[str, str]


@dataclass(slots=True)
class _Entry:
    """One template in the making, and the row each piece of it came from."""

    row: _Row
    document: Document
    steps: list[_Row] = field(default_factory=list)
    parts: list[_Row] = field(default_factory=list)


def from_xlsx(data: bytes) -> list[Document]:
    """Return the templates of a workbook, or raise `BadFile` naming each cell that is wrong."""
    return _Reading().read(data)


class _Reading:
    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self.words = {name: values_of(kind) for name, kind in WORDED.items()}
        self.parts_words = values_of("time_of_part")

    def read(self, data: bytes) -> list[Document]:
        try:
            sheets = read_sheets(data)
        except Unreadable as error:
            problem = error.problem
            raise BadFile([Flaw("", problem.row, problem.column, problem.message)]) from error
        rows: dict[str, list[_Row]] = {layout.mark: [] for layout in layouts()}
        for sheet in sheets:
            for layout, header in self._known(sheet):
                rows[layout.mark] += self._rows(sheet, layout, header)
        heads, steps, parts = rows.values()
        if not heads and not self.flaws:
            says = _l("There is no sheet of templates. Export one as an example, and fill that.")
            raise BadFile([Flaw("", 1, "", says)])
        entries = self._entries(heads)
        self._add_steps(entries, steps)
        self._add_parts(entries, parts)
        documents = [self._checked(entry) for entry in entries.values()]
        if self.flaws:
            raise BadFile(sorted(self.flaws, key=lambda flaw: (flaw.sheet, flaw.row)))
        return documents

    def _known(self, sheet: Sheet) -> Iterator[tuple[Layout, int]]:
        """Yield what a sheet is, and the row of its headers; nothing for one not of ours."""
        header = min(sheet.rows, default=0)
        for layout in layouts():
            names = {column_of(layout, text_of(cell)) for cell in sheet.rows.get(header, ())}
            if layout.mark in names:
                missing = [name for name in layout.needed if name not in names]
                for name in missing:
                    says = _l("The sheet has no such column. Add it.")
                    self._flaw(layout.name, header, name, says)
                if not missing:
                    yield layout, header
                return

    def _rows(self, sheet: Sheet, layout: Layout, header: int) -> Iterator[_Row]:
        names = [column_of(layout, text_of(cell)) for cell in sheet.rows[header]]
        for (row, column), kind in sheet.flaws.items():
            name = names[column - 1] if column <= len(names) else None
            if row > header and name:
                self._flaw(layout.name, row, name, CELL_FLAWS[kind])
        for number, cells in sheet.rows.items():
            if number > header:
                texts = {
                    name: _unguarded(name, text_of(cell))
                    for name, cell in zip(names, cells, strict=False)
                    if name
                }
                if any(texts.values()):
                    yield _Row(layout.name, number, texts)

    def _entries(self, rows: list[_Row]) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        for row in rows:
            code = row.cells.get("code", "").upper()
            if code in entries:
                says = _l("This template is there twice. Delete one of the rows.")
                self._flaw(row.sheet, row.number, "code", says)
                continue
            document = {n: self._value(row, n, t) for n, t in row.cells.items() if t}
            entries[code] = _Entry(row, {**document, "code": code, "steps": [], "parts": []})
        return entries

    def _add_steps(self, entries: dict[str, _Entry], rows: list[_Row]) -> None:
        for row, entry in self._placed(entries, rows):
            entry.steps.append(row)
            entry.document["steps"].append(self._step(row))

    def _add_parts(self, entries: dict[str, _Entry], rows: list[_Row]) -> None:
        for row, entry in self._placed(entries, rows):
            entry.parts.append(row)
            part = {n: self._value(row, n, t) for n, t in row.cells.items() if n != "template"}
            part["unit"] = self.parts_words.get(str(part["unit"]).casefold(), part["unit"])
            entry.document["parts"].append(part)

    def _placed(
        self, entries: dict[str, _Entry], rows: list[_Row]
    ) -> Iterator[tuple[_Row, _Entry]]:
        for row in rows:
            entry = entries.get(row.cells.get("template", "").upper())
            if entry is None:
                says = _l("The sheet of templates has none by this code. Correct one of the two.")
                self._flaw(row.sheet, row.number, "template", says)
            else:
                yield row, entry

    def _step(self, row: _Row) -> Document:
        cells = row.cells
        unread = {"template", "rule", "at", "limit", "low", "high", "abs", "rel", "ranges"}
        step = {n: self._value(row, n, t) for n, t in cells.items() if t and n not in unread}
        try:
            if cells.get("at"):
                step["at"] = read_points(cells["at"])
            if cells.get("rule"):
                step["tolerance"] = self._tolerance(row)
        except BadWords as error:
            for name, messages in error.errors.items():
                for message in messages:
                    self._flaw(row.sheet, row.number, name, message)
        return step

    def _tolerance(self, row: _Row) -> Document:
        rule = str(self._value(row, "rule", row.cells["rule"]))
        for name in ("limit", "low", "high", "abs", "rel", "ranges"):
            if row.cells.get(name) and name not in used_by(rule):
                says = _l("This rule has no such number. Leave it out.")
                self._flaw(row.sheet, row.number, name, says)
        return read_tolerance({**row.cells, "rule": rule}, row.cells.get("unit"))

    def _value(self, row: _Row, name: str, text: str) -> Any:
        if name in LISTS:
            return lines_of(text)
        if name in WHOLE and text.isascii() and text.isdecimal() and len(text) < 10:
            return int(text)
        if name in self.words:
            found = self.words[name].get(text.casefold())
            if found is None:
                known = ", ".join(word(WORDED[name], v) for v in WORDS[WORDED[name]])
                self._flaw(
                    row.sheet, row.number, name, _l("Choose one of: %(names)s.", names=known)
                )
            return found
        return text

    def _checked(self, entry: _Entry) -> Document:
        before = len(self.flaws)
        try:
            made: Document = DocumentIn().load(entry.document)
        except ValidationError as error:
            named = {(flaw.sheet, flaw.row) for flaw in self.flaws}
            for path, message in flat(error.messages):
                row, name = _place(entry, path)
                if (row.sheet, row.number) not in named or before == 0:
                    self._flaw(row.sheet, row.number, name, message)
            return entry.document
        return made

    def _flaw(self, sheet: str, row: int, name: str, message: object) -> None:
        self.flaws.append(Flaw(sheet, row, word("template_field", name), message))


def _place(entry: _Entry, path: Path) -> tuple[_Row, str]:
    """Return the row and the field that an error of the schema speaks of."""
    rows = {"steps": entry.steps, "parts": entry.parts}.get(str(path[0]))
    if rows is None or len(path) < 2 or not isinstance(path[1], int):
        return entry.row, str(path[0]) if path[0] in LISTS | {"en", "zh", *WHOLE} else "code"
    names = [str(key) for key in path[2:] if isinstance(key, str)]
    name = names[-1] if names else "id"
    return rows[path[1]], "rule" if name in {"type", "tolerance"} else name


def _unguarded(name: str, text: str) -> str:
    """Return text without the mark that kept a spreadsheet from running it."""
    is_marked = name in FREE and text.startswith("'") and guarded(text[1:]) == text
    return text[1:] if is_marked else text
