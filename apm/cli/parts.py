"""Parts on the command line: a list into the catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import click

from apm.cli.assets import readable, say_report
from apm.cli.frame import acting, hospital_option
from apm.parts.importing import import_parts, read_parts


@click.command("parts")
@click.argument("file", type=readable)
@hospital_option
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_command(file: Path, hospital: str, *, dry_run: bool, as_json: bool) -> None:
    """Bring in a list of spare parts (.xlsx or .csv): all rows, or none."""
    found = read_parts(file.read_bytes())
    with acting(hospital) as ctx:
        report = import_parts(ctx, found=found, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    say_report(report, is_quiet=as_json)
