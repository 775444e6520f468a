"""Templates as a spreadsheet: one sheet of templates, one of steps, one of what is replaced."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apm.assets.exporting import ESCAPE, guarded
from apm.core.i18n import _
from apm.procedures.documents import Document
from apm.procedures.wording import points_text, tolerance_words
from apm.procedures.words import values_of, word

NUMBERS = ("limit", "low", "high", "abs", "rel", "ranges")
OF_TEMPLATES = ("code", "en", "zh", "interval_months", "interval_source", "minutes", "tools",
                "spares", "metrology", "absorbs")  # fmt: skip
OF_STEPS = ("template", "id", "section", "kind", "en", "zh", "unit", "at", "at_unit", "rule",
            *NUMBERS, "source", "trust", "mandatory", "photo", "on_fail", "note")  # fmt: skip
OF_PARTS = ("template", "en", "zh", "every", "unit")
WORDED = {"section": "section", "kind": "step_kind", "rule": "tolerance", "trust": "trust",
          "on_fail": "on_fail", "mandatory": "yes_no", "photo": "yes_no"}  # fmt: skip
"""The fields whose values are words of ours, and where those stand."""
FREE = frozenset({"en", "zh", "interval_source", "tools", "spares", "metrology", "source", "note"})


@dataclass(frozen=True, slots=True)
class Layout:
    """One of the three sheets: its columns, and the one by which it is known."""

    name: str
    columns: tuple[str, ...]
    mark: str
    needed: tuple[str, ...]


def layouts() -> tuple[Layout, ...]:
    """Return the three sheets, named in the language spoken."""
    return (
        Layout(_("Templates"), OF_TEMPLATES, "interval_months", ("code", "en", "zh")),
        Layout(_("Steps"), OF_STEPS, "id", ("template", "kind", "en", "zh")),
        Layout(_("Parts"), OF_PARTS, "every", ("template", "en", "zh", "unit")),
    )


def to_xlsx(documents: list[Document]) -> bytes:
    """Return templates as an .xlsx workbook that `from_xlsx` reads back unchanged."""
    from openpyxl import Workbook  # noqa: PLC0415  (few starts need it)
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    rows = (map(_head, documents), _steps(documents), _parts(documents))
    for layout, content in zip(layouts(), rows, strict=True):
        sheet = book.create_sheet(layout.name)
        sheet.freeze_panes = "A2"
        for position in range(1, len(layout.columns) + 1):
            sheet.column_dimensions[get_column_letter(position)].width = 18
        sheet.append([_cell(sheet, word("template_field", name)) for name in layout.columns])
        for row in content:
            sheet.append([_cell(sheet, _shown(name, row.get(name))) for name in layout.columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _head(document: Document) -> Document:
    lists = {n: "\n".join(document[n]) for n in ("tools", "spares", "metrology", "absorbs")}
    return {**document, **lists}


def _steps(documents: list[Document]) -> Iterator[Document]:
    for document in documents:
        for step in document["steps"]:
            numbers = tolerance_words(step["tolerance"])
            yield {**step, "at": points_text(step["at"]), **numbers, "template": document["code"]}


def _parts(documents: list[Document]) -> Iterator[Document]:
    for document in documents:
        for part in document["parts"]:
            yield {**part, "template": document["code"]}


def _shown(name: str, value: Any) -> str | int | None:
    if value is None or value == "":
        return None
    if name in WORDED:
        return word(WORDED[name], str(value).lower() if isinstance(value, bool) else value)
    if isinstance(value, int):
        return value
    return guarded(str(value)) if name in FREE else str(value)


def _cell(sheet: Any, value: str | int | None) -> Any:
    """Return a cell; text stays text, whatever it looks like."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  (few starts need it)

    cell = WriteOnlyCell(sheet, ESCAPE.sub("_x005F_", value))
    cell.data_type = "s"
    return cell


def column_of(layout: Layout, header: str) -> str | None:
    """Return the field a header names, in either language."""
    known = values_of("template_field", layout.columns)
    return known.get(" ".join(header.split()).casefold())
