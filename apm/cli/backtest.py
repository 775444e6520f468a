"""`apm predict backtest`: how models would have done on the hospital's own past."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import click

from apm.cli.frame import acting, hospital_option
from apm.cli.refusal import Refused
from apm.core.command import Context
from apm.core.i18n import _
from apm.forecasts.backtest import Backtest, Course, plain
from apm.forecasts.backtest import backtest as run_backtest
from apm.forecasts.card_words import RULES, rows_of_card
from apm.forecasts.leaks import Leak, find_leaks
from apm.forecasts.model import ModelKind
from apm.forecasts.wording import number
from apm.labels import label

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("backtest")
@hospital_option
@click.option("--kind", type=click.Choice([kind.value for kind in ModelKind]), default="life")
@click.option("--from", "first", type=DAY, help="The first origin; a year ago by default.")
@click.option("--to", "last", type=DAY, help="The last origin; else the last to be judged.")
@click.option("--every", type=click.IntRange(1, 3650), default=30, help="Days between origins.")
@click.option("--horizon", type=click.IntRange(1, 365), help="7, 30, 90 or 365 days.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.option("--check-leaks", is_flag=True, help="Compare with records cut off at each origin.")
def backtest(hospital: str, kind: str, **asked: Any) -> None:
    """Train at each origin on the past alone, foretell, and judge by what came later."""
    with acting(hospital) as ctx:
        wanted = ModelKind(kind)
        start = _instant(asked["first"]) or ctx.now() - timedelta(days=365)
        end = _instant(asked["last"]) or ctx.now()
        course = Course(start, end, asked["every"], asked["horizon"] or 0)
        if asked["check_leaks"]:
            _check(ctx, wanted, course)
        origins = course.origins(wanted, ctx.now())
        # The bar goes to stderr: stdout is for the result.
        with click.progressbar(length=len(origins), label=_("Origins"), file=_errors()) as bar:
            found = run_backtest(ctx, wanted, course, told=lambda _at: bar.update(1))
        if asked["as_json"]:
            click.echo(json.dumps(plain(found), ensure_ascii=False))
        else:
            _tell(found)


def _check(ctx: Context, kind: ModelKind, course: Course) -> None:
    """Refuse to go on if a forecast of the past knew what came later."""
    leaks: list[Leak] = []
    origins = course.origins(kind, ctx.now())
    with click.progressbar(origins, label=_("Looking for leaks"), file=_errors()) as bar:
        for origin in bar:
            leaks += find_leaks(ctx, kind, origin)
    for leak in leaks:
        click.echo(
            f"leak: {leak.kind} {leak.at.isoformat()} {leak.subject} {leak.figure}: "
            f"{leak.said} != {leak.truly} ({', '.join(leak.differs) or '?'})",
            err=True,
        )
    if leaks:
        raise Refused(
            _("%(n)s forecasts of the past knew what came later. Do not trust them.", n=len(leaks))
        )
    click.echo(_("No leak at %(n)s origins.", n=len(origins)), err=True)


def _tell(found: Backtest) -> None:
    figures = found.figures
    click.echo(
        _(
            "%(kind)s: %(origins)s origins, %(days)s days ahead, %(n)s judged forecasts, "
            "%(failures)s with a failure.",
            kind=label("forecast_kind", found.kind),
            origins=found.origins,
            days=found.horizon,
            n=figures.n,
            failures=figures.events,
        )
    )
    if found.untrained:
        last = found.untrained[-1]
        click.echo(
            _(
                "%(n)s origins had too little history (%(what)s: %(have)s of %(need)s).",
                n=len(found.untrained),
                what=last.code,
                have=last.have,
                need=last.need,
            )
        )
    for row in rows_of_card(figures, found.coverage):
        click.echo(f"\n{row.name}")
        for name, cell in zip(("model", *RULES), row.cells, strict=True):
            if cell.value != "–":
                note = f" ({cell.note})" if cell.note else ""
                click.echo(f"  {label('score_rule', name)}: {cell.value}{note}")
    if figures.reliability:
        click.echo("\n" + _("What was said and what came"))
    for said in figures.reliability:
        low, high = (number(100 * x) for x in said.interval)
        click.echo(
            f"  {number(100 * said.said)} % -> {number(100 * said.seen)} % "
            f"({low}–{high}; n = {said.n})"
        )


def _instant(day: datetime | None) -> datetime | None:
    return None if day is None else day.replace(tzinfo=UTC)


def _errors() -> TextIO:
    return sys.stderr
