"""`apm predict run`: score what arrived, train what is due and foretell, now."""

from __future__ import annotations

from datetime import datetime

import click

from apm.cli.frame import acting, hospital_option
from apm.core.i18n import _
from apm.core.settings import Settings
from apm.detecting.scoring import score_all
from apm.forecasts.foretelling import foretell_all


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
@click.option(
    "--at", "until", metavar="ISO", callback=_instant, help="Use nothing later; trains nothing."
)
def run(hospital: str, until: datetime | None) -> None:
    """Score all new readings and foretell failures now; repeating it changes nothing."""
    with acting(hospital) as ctx:
        done = score_all(ctx, until=until)
        foretold = foretell_all(ctx, at=until, compute=Settings.from_env().compute)
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
    click.echo(
        _(
            "%(models)s models trained, %(forecasts)s forecasts for %(assets)s assets, "
            "%(warnings)s new warnings, %(orders)s work orders opened or joined.",
            models=foretold.trained,
            forecasts=foretold.forecasts,
            assets=foretold.assets,
            warnings=foretold.warnings,
            orders=foretold.orders,
        )
    )
