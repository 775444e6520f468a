"""`apm predict run`: score what arrived, now."""

from __future__ import annotations

from datetime import datetime

import click

from apm.cli.frame import acting, hospital_option
from apm.core.i18n import _
from apm.detecting.scoring import score_all


def _instant(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise click.BadParameter(_("Give a time with offset, like 2026-11-22T08:30:00+08:00."))
    return at


@click.command("run")
@hospital_option
@click.option("--at", "until", metavar="ISO", callback=_instant, help="Score no later readings.")
def run(hospital: str, until: datetime | None) -> None:
    """Score all new readings now; repeating it changes nothing."""
    with acting(hospital) as ctx:
        done = score_all(ctx, until=until)
    click.echo(
        _(
            "%(readings)s readings of %(sensors)s sensors scored, %(opened)s alarms opened, "
            "%(failed)s detectors failed.",
            readings=done.readings,
            sensors=done.sensors,
            opened=done.opened,
            failed=done.failed,
        )
    )
