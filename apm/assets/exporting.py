"""The register as a spreadsheet, with the columns the import reads."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from apm.assets.columns import COLUMNS, Column, Kind, state_word
from apm.assets.model import Asset
from apm.assets.queries import assets_with_places
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.core.permissions import Permission

DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What a workbook would read as the code of a character (ISO/IEC 29500-1, 22.9.2.19)."""
Value = str | date | Decimal | None


def guarded(text: str) -> str:
    """Return text that no spreadsheet program runs as a formula; the import takes it back.

    >>> guarded("=1+1"), guarded("'=1+1"), guarded("Evita")
    ("'=1+1", "''=1+1", 'Evita')
    """
    return "'" + text if DANGEROUS.match(text) else text


def export_csv(ctx: Context) -> bytes:
    """Return the whole register as CSV: UTF-8 with the mark that spreadsheet programs need."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.header for column in COLUMNS])
    for row in _rows(ctx):
        writer.writerow(["" if value is None else str(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def export_xlsx(ctx: Context) -> bytes:
    """Return the whole register as an .xlsx workbook."""
    return _workbook(_rows(ctx))


def example_xlsx() -> bytes:
    """Return a list with two made-up assets that shows what an import reads."""
    ventilator: dict[str, Value] = {
        "number": "A-0001", "name": "Critical care ventilator", "name_zh": "呼吸机",
        "category": "VENT", "manufacturer": "Example", "model": "V500", "serial": "SN-1001",
        "department": choose("Intensive care", "重症医学科"), "location": choose("Bed 3", "3床"),
        "purchased_on": date(2023, 5, 1), "in_service_on": date(2023, 6, 1),
        "warranty_until": date(2026, 5, 31), "purchase_cost": Decimal("258000.00"),
    }  # fmt: skip
    pump: dict[str, Value] = {
        "number": "A-0002",
        "name": "Infusion pump",
        "name_zh": "输液泵",
        "category": "INFP",
    }
    return _workbook(
        [example.get(column.field) for column in COLUMNS] for example in (ventilator, pump)
    )


def _rows(ctx: Context) -> Iterator[list[Value]]:
    ctx.actor.require(Permission.ASSET_IMPORT)
    query = assets_with_places().order_by(Asset.number)
    for asset in ctx.session.scalars(query.execution_options(yield_per=1000)):
        yield [_value(asset, column) for column in COLUMNS]


def _value(asset: Asset, column: Column) -> Value:
    value = getattr(asset, column.field)
    if value is None:
        return None
    if column.field in {"department", "location"}:
        return guarded(value.name)
    match column.kind:
        case Kind.MONEY:
            return (Decimal(value) / 100).quantize(Decimal("0.01"))
        case Kind.STATE:
            return state_word(value)
        case Kind.DAY:
            day: date = value
            return day
        case _:
            return guarded(value)


def _plain_text(sheet: Any, text: str) -> Any:
    """Return a cell that stays text, also when it reads #N/A like a spreadsheet's error."""
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  (few starts need it)

    cell = WriteOnlyCell(sheet, ESCAPE.sub("_x005F_", text))
    cell.data_type = "s"
    return cell


def _workbook(rows: Iterator[list[Value]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415  (few starts need it)
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Assets"))
    sheet.freeze_panes = "A2"
    for position in range(1, len(COLUMNS) + 1):
        sheet.column_dimensions[get_column_letter(position)].width = 18
    sheet.append([column.header for column in COLUMNS])
    for row in rows:
        sheet.append([_plain_text(sheet, v) if isinstance(v, str) else v for v in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
