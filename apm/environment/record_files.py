"""The record as a spreadsheet: one row for each day, hour or check."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from apm.assets.exporting import guarded
from apm.core.i18n import _, choose
from apm.environment.records import Document
from apm.labels import label

Cell = str | float | int | None


def record_csv(document: Document) -> bytes:
    """Return the record as CSV: UTF-8 with the mark that spreadsheet programs need."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in _table(document):
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue().encode("utf-8-sig")


def record_xlsx(document: Document) -> bytes:
    """Return the record as an .xlsx workbook."""
    from openpyxl import Workbook  # noqa: PLC0415  (few starts need it)
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Record"))
    sheet.freeze_panes = "A2"
    for position in range(1, len(_heads()) + 1):
        sheet.column_dimensions[get_column_letter(position)].width = 16
    for row in _table(document):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _heads() -> list[Cell]:
    return [
        _("Sensor"), _("Code"), _("Time"), _("Readings"), _("Lowest"), _("Mean"), _("Highest"),
        _("Unit"), _("Lower limit"), _("Upper limit"), _("Outside the limits"), _("By whom"),
        _("Note"),
    ]  # fmt: skip


def _table(document: Document) -> Iterator[list[Cell]]:
    yield _heads()
    for sensor in document["sensors"]:
        limits = sensor["limits"] or {"low": None, "high": None}
        name = guarded(choose(sensor["en"], sensor["zh"]))
        for when, n, low, mean, high in sensor["rows"]:
            yield [
                name, guarded(sensor["code"]), when, n, low, _rounded(mean), high,
                guarded(sensor["unit"]), limits["low"], limits["high"],
                _yes(_is_outside(low, high, limits)) if n else _("no readings"), "", "",
            ]  # fmt: skip
    if by_hand := document["by_hand"]:
        for row in by_hand["rows"]:
            yield from _checked(row, by_hand["limits"])


def _checked(row: dict[str, Any], limits: dict[str, list[float]]) -> Iterator[list[Cell]]:
    from_hand = {"temperature": "°C", "humidity": "%"}
    for quantity, unit in from_hand.items():
        value = row[quantity]
        if value is None:
            continue
        low, high = limits.get(quantity, (None, None))
        is_outside = low is not None and high is not None and not low <= value <= high
        yield [
            _("Checked by hand"), "", f"{row['day']} {label('slot', row['slot'])}", 1, value,
            value, value, unit, low, high, _yes(is_outside), guarded(row["by"]),
            guarded(row["note"] or ""),
        ]  # fmt: skip


def _is_outside(low: float | None, high: float | None, limits: dict[str, Any]) -> bool:
    if low is None or high is None or limits["low"] is None:
        return False
    return bool(low < limits["low"] or high > limits["high"])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _yes(is_so: bool) -> str:  # noqa: FBT001  (a word for it)
    return _("yes") if is_so else _("no")
