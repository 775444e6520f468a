"""Bringing a list of parts into the catalogue: all of its rows, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select

from apm.assets.categories import find_category
from apm.assets.cells import GUARDED
from apm.assets.columns import plain_word
from apm.assets.importing import ImportReport
from apm.assets.spreadsheet import Sheet, read_sheets, text_of
from apm.assets.workbook import Cell, Problem, Unreadable
from apm.core.command import Context, command
from apm.core.errors import DomainError, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.parts.commands import add_part, update_part
from apm.parts.model import Part, Unit
from apm.parts.queries import with_details
from apm.parts.schema import PartForm
from apm.vendors.commands import add_vendor
from apm.vendors.queries import vendor_named

HEADERS: dict[str, tuple[str, ...]] = {
    "number": ("part number", "number", "part no", "备件号", "备件编号", "物料编码", "编号"),
    "name": ("name", "part name", "description", "英文名", "英文名称"),
    "name_zh": ("chinese name", "name zh", "名称", "备件名称", "物料名称", "中文名"),
    "unit": ("unit", "单位", "计量单位"),
    "maker": ("manufacturer", "maker", "brand", "生产厂家", "厂家", "品牌"),
    "category": ("category", "equipment", "设备", "设备类别", "类别"),
    "price": ("price", "unit price", "单价", "价格"),
    "minimum": ("minimum", "minimum stock", "最低库存", "安全库存"),
    "lead_days": ("lead time", "lead days", "供货周期", "采购周期"),
    "supplier": ("supplier", "vendor", "供应商"),
    "barcodes": ("barcode", "barcodes", "gtin", "条码"),
    "fits": ("fits", "goes into", "models", "适用设备", "适用型号"),
    "note": ("note", "notes", "remark", "备注"),
}
WORDS = {plain_word(word): name for name, words in HEADERS.items() for word in (name, *words)}
UNITS = {
    plain_word(word): unit
    for unit, words in {
        Unit.PIECE: "piece pieces pcs pc ea 个 件 只 支 块 根 台",
        Unit.BOX: "box boxes 盒 箱",
        Unit.PAIR: "pair pairs 对 双",
        Unit.SET: "set sets kit 套",
        Unit.METRE: "metre meter m 米",
        Unit.LITRE: "litre liter l 升",
        Unit.KILOGRAM: "kilogram kg 千克 公斤",
    }.items()
    for word in words.split()
}
SEARCHED = 10
"""Rows at the top among which the headers are looked for."""


@dataclass(slots=True)
class PartList:
    """What a file says: each row's fields as `PartForm` takes them, and what is wrong."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


class _Refused(Exception):
    """Something is wrong with the list as the catalogue stands; nothing is written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("refused")
        self.problems = problems


def read_parts(data: bytes) -> PartList:
    """Read a list of parts from .xlsx or .csv; problems say what is wrong, row by row."""
    found = PartList()
    try:
        sheet, row = _headed(read_sheets(data))
    except Unreadable as error:
        found.problems.append(error.problem)
        return found
    columns: dict[int, str] = {}
    for position, cell in enumerate(sheet.rows[row]):
        text = text_of(cell)
        name = WORDS.get(plain_word(text))
        if name is not None and name not in found.headers:
            columns[position], found.headers[name] = name, text
        elif text:
            found.ignored.append(text)
    _read_rows(found, sheet, row, columns)
    return found


def _headed(sheets: list[Sheet]) -> tuple[Sheet, int]:
    for sheet in sheets:
        for row in list(sheet.rows)[:SEARCHED]:
            names = {WORDS.get(plain_word(text_of(cell))) for cell in sheet.rows[row]}
            if "number" in names and names & {"name", "name_zh"}:
                return sheet, row
    message = _l("No row of headers was found. Name two columns: Part number, Name.")
    raise Unreadable(Problem(1, "", "missing_column", message))


def _read_rows(found: PartList, sheet: Sheet, first: int, columns: dict[int, str]) -> None:
    seen: dict[str, int] = {}
    for row, cells in sheet.rows.items():
        typed = dict(_typed(cells, columns)) if row > first else {}
        if not typed:
            continue
        number = typed.get("number", "")
        if number and seen.setdefault(number, row) != row:
            message = _l("Row %(row)s has the same part number. Delete one.", row=seen[number])
            found.problems.append(_problem(found, row, "number", "duplicate_number", message))
        try:
            found.rows.append((row, {"supplier": None, **_loaded(typed)}))
        except ValidationError as error:
            for name, texts in error.messages_dict.items():
                found.problems.append(_problem(found, row, name, "invalid", texts[0]))


def _typed(cells: list[Cell], columns: dict[int, str]) -> Iterator[tuple[str, str]]:
    for position, name in columns.items():
        cell = cells[position] if position < len(cells) else None
        # Spreadsheet programs turn a number such as 3-12 into a day.
        text = "" if isinstance(cell, date) else text_of(cell)
        text = text[1:] if GUARDED.match(text) else text
        if text:
            yield name, text


def _loaded(typed: dict[str, str]) -> dict[str, Any]:
    """Return the fields of a row; the supplier stays a name."""
    typed = dict(typed)
    typed.setdefault("name", typed.get("name_zh", ""))
    if not typed["name"]:
        del typed["name"]
    supplier = typed.pop("supplier", None)
    if "unit" in typed:
        typed["unit"] = UNITS.get(plain_word(typed["unit"]), typed["unit"])
    if "category" in typed:
        typed["category"] = find_category(typed["category"]) or typed["category"]
    for name in ("barcodes", "fits"):
        if name in typed:
            typed[name] = re.sub(r"\s*[;；]\s*", "\n", typed[name])
    loaded: dict[str, Any] = PartForm().load(typed)
    return {**loaded, "supplier": supplier} if supplier else loaded


def _problem(found: PartList, row: int, name: str, code: str, message: object) -> Problem:
    return Problem(row, found.headers.get(name, name), code, message)


def import_parts(ctx: Context, *, found: PartList, dry_run: bool = False) -> ImportReport:
    """Add and change the parts of a list by their number; with any problem, change nothing.

    A field without a cell stays as it is.  Suppliers that are not known yet are added.
    """
    ctx.actor.require(Permission.PART_EDIT)
    problems, counts = found.problems, (0, 0, 0)
    if not problems:
        try:
            counts = _import(ctx, found=found, dry_run=dry_run)
        except _Refused as refused:
            problems = refused.problems
    ignored = tuple(found.ignored)
    return ImportReport(len(found.rows), *counts, problems=tuple(problems), ignored=ignored)


class _Dry(Exception):
    """All went well, and is taken back."""

    def __init__(self, counts: tuple[int, int, int]) -> None:
        super().__init__("dry")
        self.counts = counts


def _import(ctx: Context, *, found: PartList, dry_run: bool) -> tuple[int, int, int]:
    try:
        return _write(ctx, found=found, dry_run=dry_run)
    except _Dry as done:
        return done.counts


@command("part.import", Permission.PART_EDIT)
def _write(ctx: Context, *, found: PartList, dry_run: bool) -> tuple[int, int, int]:
    """Write every row, or raise before anything is kept."""
    created = updated = 0
    problems: list[Problem] = []
    for row, values in found.rows:
        try:
            is_new, is_changed = _put(ctx, dict(values))
        except DomainError as error:
            problems += _problems_of(found, row, error)
            continue
        created, updated = created + is_new, updated + is_changed
    if problems:
        raise _Refused(problems)
    counts = (created, updated, len(found.rows) - created - updated)
    if dry_run:
        raise _Dry(counts)
    return counts


def _problems_of(found: PartList, row: int, error: DomainError) -> list[Problem]:
    fields = error.fields if isinstance(error, Invalid) else {}
    return [
        _problem(found, row, name, error.code, texts[0]) for name, texts in fields.items()
    ] or [Problem(row, "", error.code, str(error))]


def _put(ctx: Context, values: dict[str, Any]) -> tuple[bool, bool]:
    """Write one row; return whether it was new, and whether it changed what there was."""
    supplier = values.pop("supplier")
    if supplier:
        vendor = vendor_named(ctx, supplier) or add_vendor(ctx, name=supplier)
        values["supplier"] = vendor.id
    part = ctx.session.scalar(with_details(select(Part)).where(Part.number == values["number"]))
    if part is None:
        add_part(ctx, **values)
        return True, False
    before = _state(part)
    update_part(ctx, part_id=part.id, **values)
    return False, _state(part) != before


def _state(part: Part) -> tuple[object, ...]:
    """Return what a row could change; barcodes and models leave the part's version as it is."""
    codes = [barcode.code for barcode in part.barcodes]
    return (part.version, codes, [(fit.manufacturer, fit.model) for fit in part.fits])
