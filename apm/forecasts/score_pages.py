"""How right the forecasts were: the scorecard of every model of the hospital."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from apm.accounts.queries import own_hospital
from apm.core.chances import percent
from apm.core.http import context, requires
from apm.core.permissions import Permission
from apm.forecasts.card_words import (
    FORMULAS,
    RULES,
    Row,
    rows_of_card,
    rows_of_horizons,
    why_words,
)
from apm.forecasts.model import ModelState, Outcome
from apm.forecasts.muting import hides_interval
from apm.forecasts.registry import at_work
from apm.forecasts.score_keeping import shown_cards
from apm.forecasts.scorecard import Card
from apm.forecasts.wording import number

score_pages = Blueprint("scores", __name__)


@score_pages.get("/analytics/forecasts")
@requires(Permission.ANALYTICS_READ)
def scorecard() -> ResponseReturnValue:
    """Each version at work, on trial or muted, beside simple rules."""
    ctx = context()
    order = {ModelState.ACTIVE: 0, ModelState.MUTED: 1, ModelState.SHADOW: 2}
    versions = sorted(at_work(ctx), key=lambda v: (order[v.state], v.kind, -v.version))
    hospital = own_hospital(ctx)
    return render_template(
        "forecasts/scorecard.html",
        cards=[
            (one.version, one.card, _rows(one.card), one.at) for one in shown_cards(ctx, versions)
        ],
        currency=hospital.currency if hospital else "CNY",
        **score_words(),
    )


def _rows(card: Card | None) -> list[Row]:
    return rows_of_card(card.figures, card.coverage) if card else []


def score_words() -> dict[str, object]:
    """Return what the templates say scores with."""
    return {
        "rules": RULES,
        "formulas": FORMULAS,
        "outcomes": list(Outcome),
        "percent": percent,
        "number": number,
        "why_words": why_words,
        "hides_interval": hides_interval,
        "rows_of_horizons": rows_of_horizons,
    }
