"""One file with everything, and back."""

from __future__ import annotations

from pathlib import Path

import click

from apm.backup import make_backup, restore_backup
from apm.core.i18n import _
from apm.core.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the database and the uploads to FILE, consistent while the server runs."""
    size = make_backup(Settings.from_env(), file)
    click.echo(_("%(file)s is written, %(size)s bytes.", file=file, size=size))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace what the database holds now.")
def restore(file: Path, *, replace: bool) -> None:
    """Bring a backup back into an empty database; stop server and worker first."""
    restore_backup(Settings.from_env(), file, replace=replace)
    click.echo(_("%(file)s is restored.", file=file))
