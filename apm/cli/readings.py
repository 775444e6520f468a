"""`apm import readings`: sensor logs from a CSV file, however long, or from a workbook."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from apm.cli.frame import acting, hospital_option
from apm.cli.readings_workbook import workbook_rows
from apm.cli.refusal import Refused
from apm.core.command import Context
from apm.core.i18n import _
from apm.readings.commands import ingest
from apm.readings.merging import merge_inbox

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

AT_ONCE = 50_000
MOST_NAMED = 1000
"""Rejected rows named in the report; the others are only counted."""
MOST_SHOWN = 20
COLUMNS = ("sensor", "at", "value")


@dataclass(slots=True)
class Report:
    """What became of the rows of a file."""

    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected_total: int = 0
    rejected: list[dict[str, object]] = field(default_factory=list)


@click.command("readings")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@hospital_option
@click.option("--timezone", metavar="ZONE", help="Zone of times without offset, such as UTC.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_readings(file: Path, hospital: str, timezone: str | None, *, as_json: bool) -> None:
    """Import readings from a CSV or .xlsx file with the header sensor,at,value[,quality].

    Rows that cannot be stored are named by line, and the exit status is then 1; all other rows
    are stored nevertheless. Importing a file again changes nothing.
    """
    zone = _zone(timezone)
    with acting(hospital) as ctx:
        if file.suffix.lower() == ".xlsx":
            report = _stored(ctx, workbook_rows(file.read_bytes(), _places, zone))
        else:
            with file.open(encoding="utf-8-sig", newline="") as text:
                report = _import(ctx, text, zone)
    if as_json:
        click.echo(json.dumps({name: getattr(report, name) for name in Report.__slots__}))
    else:
        _print(report)
    if report.rejected_total:
        sys.exit(1)


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.BadParameter(
            _("There is no time zone %(name)s. Give one like UTC or Asia/Shanghai.", name=name)
        ) from None


def _import(ctx: Context, text: TextIOWrapper, zone: tzinfo | None) -> Report:
    report = Report()
    reader = csv.reader(text, strict=True)
    try:
        rows = _readings(reader, _places(next(reader, [])), zone)
        with _progress(text) as advance:
            while batch := list(islice(rows, AT_ONCE)):
                _store(ctx, batch, report)
                advance()
    except (UnicodeDecodeError, csv.Error) as error:
        why = _("it is not UTF-8 text") if isinstance(error, UnicodeDecodeError) else str(error)
        raise Refused(
            _(
                "The file cannot be read beyond line %(line)s: %(why)s. "
                "Correct it and import it again; rows stored already do no harm.",
                line=reader.line_num,
                why=why,
            )
        ) from error
    return report


def _stored(ctx: Context, rows: Iterator[tuple[int, object]]) -> Report:
    report = Report()
    while batch := list(islice(rows, AT_ONCE)):
        _store(ctx, batch, report)
    return report


def _places(header: list[str]) -> dict[str, int]:
    """Return where each column stands, or refuse the file."""
    places = {name.strip().lower(): place for place, name in enumerate(header)}
    if missing := [name for name in COLUMNS if name not in places]:
        raise Refused(
            _(
                "The first line lacks the column %(missing)s. "
                "It must be: sensor,at,value[,quality]",
                missing=", ".join(missing),
            )
        )
    return places


def _readings(
    reader: CsvReader, places: dict[str, int], zone: tzinfo | None
) -> Iterator[tuple[int, object]]:
    """Yield the line and the reading of each row; blank lines are passed over."""
    names = [(name, place) for name, place in places.items() if name in {*COLUMNS, "quality"}]
    for row in reader:
        if any(cell.strip() for cell in row):
            cells = {name: row[place].strip() for name, place in names if place < len(row)}
            yield reader.line_num, _reading(cells, zone)


def _reading(cells: dict[str, str], zone: tzinfo | None) -> dict[str, object]:
    at = cells.get("at", "")
    return {
        "sensor": cells.get("sensor"),
        "at": at if zone is None else _placed(at, zone),
        "value": _number(cells.get("value", "")),
        "quality": cells.get("quality") or None,
    }


def _number(text: str) -> float | str:
    """Return a number, or the text as it is: it is then refused with its line."""
    try:
        return float(text)
    except ValueError:
        return text


def _placed(text: str, zone: tzinfo) -> datetime | str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def _store(ctx: Context, batch: list[tuple[int, object]], report: Report) -> None:
    done = ingest(ctx, [reading for _line, reading in batch])
    merge_inbox(ctx)  # history is many days: nobody should have to look through it all
    report.rows += len(batch)
    report.accepted += done.accepted
    report.duplicate += done.duplicate
    report.rejected_total += len(done.rejected)
    for one in done.rejected[: MOST_NAMED - len(report.rejected)]:
        line = batch[one.index][0]
        report.rejected.append({"line": line, "code": one.code, "detail": one.detail})


@contextmanager
def _progress(text: TextIOWrapper) -> Iterator[Callable[[], None]]:
    """Draw a bar on stderr where somebody watches; give the function that moves it."""
    console = Console(stderr=True)
    columns = TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=os.fstat(text.fileno()).st_size)
        yield lambda: bar.update(task, completed=os.lseek(text.fileno(), 0, os.SEEK_CUR))


def _print(report: Report) -> None:
    click.echo(
        _(
            "%(rows)s rows: %(accepted)s stored, %(duplicate)s known already, "
            "%(rejected)s rejected.",
            rows=report.rows,
            accepted=report.accepted,
            duplicate=report.duplicate,
            rejected=report.rejected_total,
        )
    )
    for one in report.rejected[:MOST_SHOWN]:
        click.echo(_("Line %(line)s: %(detail)s", **one), err=True)
    if report.rejected_total > MOST_SHOWN:
        click.echo(_("and %(n)s more", n=report.rejected_total - MOST_SHOWN), err=True)
