"""Assets on the command line: lists in and out, label sheets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from apm.assets.exporting import export_csv, export_xlsx
from apm.assets.importing import ImportReport, check_import, import_assets
from apm.assets.labels_pdf import FORMATS, label_sheets
from apm.assets.listing import read_listing
from apm.assets.queries import RegisterFilter, assets_for_labels
from apm.cli.frame import acting, hospital_option
from apm.cli.refusal import Refused
from apm.core.i18n import _, ngettext
from apm.core.settings import Settings

MOST_LABELS = 10_000
readable = click.Path(exists=True, dir_okay=False, path_type=Path)
writable = click.Path(dir_okay=False, path_type=Path)


@click.command("assets")
@click.argument("file", type=readable)
@hospital_option
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_command(file: Path, hospital: str, *, dry_run: bool, as_json: bool) -> None:
    """Bring in an equipment list (.xlsx or .csv): all rows, or none."""
    listing = read_listing(file.read_bytes())
    with acting(hospital) as ctx:
        report = check_import(ctx, listing) if dry_run else import_assets(ctx, listing=listing)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    say_report(report, is_quiet=as_json)


def say_report(report: ImportReport, *, is_quiet: bool) -> None:
    """Print what an import did, unless it was printed as JSON; refuse where it did nothing."""
    if not is_quiet:
        _say(report)
    if report.problems:
        raise Refused(
            ngettext(
                "Nothing was imported: %(n)s problem.",
                "Nothing was imported: %(n)s problems.",
                len(report.problems),
            )
        )


def _say(report: ImportReport) -> None:
    for problem in report.problems:
        where = _("Row %(row)s", row=problem.row)
        column = f", {problem.column}" if problem.column else ""
        click.echo(f"{where}{column}: {problem.message}", err=True)
    if report.ignored:
        click.echo(_("Columns not used: %(names)s", names=", ".join(report.ignored)))
    if not report.problems:
        click.echo(
            _(
                "%(created)s created, %(updated)s updated, %(unchanged)s unchanged.",
                created=report.created,
                updated=report.updated,
                unchanged=report.unchanged,
            )
        )


@click.command("assets")
@click.argument("file", type=writable)
@hospital_option
def export_command(file: Path, hospital: str) -> None:
    """Write the register to FILE: .xlsx, or else CSV."""
    with acting(hospital) as ctx:
        is_workbook = file.suffix.lower() == ".xlsx"
        _write(file, export_xlsx(ctx) if is_workbook else export_csv(ctx))


@click.command()
@click.argument("file", type=writable)
@hospital_option
@click.option("--query", default="", help="Only what this search finds.")
@click.option(
    "--format", "sheet", type=click.Choice(list(FORMATS)), default="a4-3x8", show_default=True
)
def labels(file: Path, hospital: str, query: str, sheet: str) -> None:
    """Write sheets of QR labels to FILE (PDF)."""
    with acting(hospital) as ctx:
        found = assets_for_labels(ctx, RegisterFilter(q=query), most=MOST_LABELS)
        if not found:
            raise Refused(_("No assets match. Try fewer words."))
        base_url = Settings.from_env().base_url
        _write(file, label_sheets(found, base_url=base_url, sheet=sheet))
    click.echo(ngettext("%(n)s label", "%(n)s labels", len(found)))


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Refused(
            _("%(file)s cannot be written: %(why)s.", file=file, why=error.strerror)
        ) from error
