"""Meter readings in a CSV file: `asset,meter,value,at`, comma, semicolon or tab between."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select

from apm.accounts.queries import zone_of
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.i18n import _
from apm.maintenance.model import MeterKind
from apm.maintenance.wishes import Said

MOST_ROWS = 20_000
WORDS = {
    "asset": "asset", "number": "asset", "资产编号": "asset", "设备编号": "asset", "编号": "asset",
    "meter": "meter", "计数器": "meter", "kind": "meter",
    "value": "value", "读数": "value", "reading": "value",
    "at": "at", "date": "at", "time": "at", "日期": "at", "时间": "at",
}  # fmt: skip
METERS = {
    "": MeterKind.HOURS, "小时": MeterKind.HOURS, "运行小时": MeterKind.HOURS,
    "次数": MeterKind.USES, "使用次数": MeterKind.USES, "曝光次数": MeterKind.EXPOSURES,
    "循环": MeterKind.CYCLES, **{kind.value: kind for kind in MeterKind},
}  # fmt: skip
FULL_WIDTH = str.maketrans("０１２３４５６７８９．，", "0123456789.,")


@dataclass(frozen=True, slots=True)
class FileRow:
    """A line of the file, from 1, and what it says."""

    line: int
    said: Said


def read_file(ctx: Context, data: bytes) -> tuple[list[FileRow], list[tuple[int, str]]]:
    """Return the rows of a CSV file, and what is wrong with which line.

    UTF-8 (with or without a mark) or GB18030.  `asset` is the hospital's number or the label's
    code; a day without a time means its noon at the hospital; no day means now.
    """
    try:
        text = _decoded(data)
    except UnicodeDecodeError:
        return [], [(1, _("This is no text file. Save the sheet as CSV."))]
    lines = list(csv.reader(io.StringIO(text), dialect=_dialect(text)))
    if not lines:
        return [], [(1, _("The file is empty."))]
    columns = {WORDS.get(cell.strip().lower(), ""): k for k, cell in enumerate(lines[0])}
    if not {"asset", "value"} <= set(columns):
        return [], [
            (1, _("A column is missing. Add one called: %(names)s.", names="asset, value"))
        ]
    rows, problems = [], []
    codes, zone = _codes(ctx), ZoneInfo(zone_of(ctx))
    for line, cells in enumerate(lines[1 : MOST_ROWS + 1], 2):
        named = {name: cells[k].strip() if k < len(cells) else "" for name, k in columns.items()}
        if not any(named.values()):
            continue
        try:
            rows.append(FileRow(line, _said(named, codes, zone)))
        except ValueError as error:
            problems.append((line, str(error)))
    if len(lines) > MOST_ROWS + 1:
        problems.append((MOST_ROWS + 2, _("The file has too many lines. Split it.")))
    return rows, problems


def _said(named: dict[str, str], codes: dict[str, str], zone: ZoneInfo) -> Said:
    code = codes.get(named["asset"].upper())
    if code is None:
        raise ValueError(_("No equipment has the number %(number)s.", number=named["asset"]))
    meter = METERS.get(named.get("meter", "").lower())
    if meter is None:
        raise ValueError(_("There is no such meter: %(name)s.", name=named["meter"]))
    return Said(code, meter, _number(named["value"]), _instant(named.get("at", ""), zone))


def _number(text: str) -> float:
    """Return the number that a cell says: full-width digits and thousands commas will do."""
    plain = text.translate(FULL_WIDTH).replace(",", "").replace(" ", "")
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(_("This is no number: %(text)s.", text=text[:40]))
    return value


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    plain = text.translate(FULL_WIDTH).replace("/", "-")
    if not plain:
        return None
    try:
        if len(plain) <= 10:
            return datetime.combine(date.fromisoformat(plain), time(12), zone)
        found = datetime.fromisoformat(plain)
    except ValueError:
        message = _("Give a date such as 2026-11-22: %(text)s.", text=text[:40])
        raise ValueError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _codes(ctx: Context) -> dict[str, str]:
    rows = ctx.session.execute(select(Asset.number, Asset.code))
    return {key.upper(): code for number, code in rows for key in (number, code)}


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _dialect(text: str) -> type[csv.Dialect]:
    first = text.partition("\n")[0]

    class Ours(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Ours
