"""The rows of an .xlsx file of readings, in the shape that rows of a CSV file have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, tzinfo

from apm.assets import workbook
from apm.assets.workbook import Cell, Table, Unreadable
from apm.cli.refusal import Refused
from apm.core.i18n import _

Row = tuple[int, dict[str, object]]


def workbook_rows(
    data: bytes, places: Callable[[list[str]], dict[str, int]], zone: tzinfo | None
) -> Iterator[Row]:
    """Yield number and reading of each row of the first sheet that has any.

    Args:
        data: the file.
        places: says where each column stands, or refuses the header.
        zone: of times without offset, which is all that a spreadsheet's own times are.

    Raises:
        Refused: no workbook, damaged, too large, empty, or with another header.
    """
    try:
        tables = workbook.read(data)
    except Unreadable as error:
        raise Refused(str(error.problem.message)) from error
    table = next((table for table in tables if table.rows), Table())
    numbers = sorted(table.rows)
    if not numbers:
        raise Refused(_("The file is empty. Its first row must be: sensor,at,value[,quality]"))
    header = [str(cell or "") for cell in table.rows[numbers[0]]]
    where = places(header)
    for number in numbers[1:]:
        cells = table.rows[number]
        row = {name: cells[place] for name, place in where.items() if place < len(cells)}
        if any(cell is not None for cell in row.values()):
            yield number, _reading(row, zone)


def _reading(row: dict[str, Cell], zone: tzinfo | None) -> dict[str, object]:
    quality = row.get("quality")
    return {
        "sensor": _code(row.get("sensor")),
        "at": _instant(row.get("at"), zone),
        "value": _number(row.get("value")),
        "quality": quality.strip() if isinstance(quality, str) else quality,
    }


def _instant(cell: Cell, zone: tzinfo | None) -> object:
    """Return an instant, or the cell as it is: it is then refused with its row."""
    at: object = cell
    if isinstance(cell, str):
        try:
            at = datetime.fromisoformat(cell.strip())
        except ValueError:
            return cell
    elif isinstance(cell, date) and not isinstance(cell, datetime):
        at = datetime.combine(cell, time())  # so a spreadsheet gives midnight back
    if isinstance(at, datetime) and at.tzinfo is None and zone is not None:
        return at.replace(tzinfo=zone)
    return at


def _code(cell: Cell) -> object:
    """Return a code as text: a spreadsheet makes a number of one that has digits only."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() if isinstance(cell, (str, int)) else cell


def _number(cell: Cell) -> object:
    if isinstance(cell, str):
        try:
            return float(cell)
        except ValueError:
            return cell
    return cell
