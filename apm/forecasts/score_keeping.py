"""Scores of models, counted by the worker: they read two years of forecasts and repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select

from apm.core.command import Context, command
from apm.core.many import among
from apm.core.permissions import Permission
from apm.forecasts.foretold import HORIZONS
from apm.forecasts.model import ForecastRecord, ModelState, ModelVersion, Outcome
from apm.forecasts.outcomes import LATE
from apm.forecasts.score_model import ModelScore
from apm.forecasts.scorecard import Card, Money, cards_of
from apm.forecasts.scoring import Figures, HorizonFigures, Lead, Warnings
from predict.forecast_score import Figure, ReliabilityBin, Skill
from predict.interval_score import Coverage

MOST_IN_A_PAGE = 2000
"""Frozen forecasts beyond which a page does not count a score itself: it would take seconds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, and as of when it was counted; None: only the worker can, and has not yet."""

    version: ModelVersion
    card: Card | None
    at: datetime | None


def count_scores(ctx: Context) -> int:
    """Count the scores that may still change, and those not counted yet; return how many."""
    query = select(ModelVersion).where(
        or_(
            ModelVersion.state != ModelState.RETIRED,
            ModelVersion.state_since > ctx.now() - LATE - timedelta(days=max(HORIZONS)),
            ModelVersion.id.not_in(select(ModelScore.model_version_id)),
        )
    )
    versions = list(ctx.session.scalars(query.execution_options(populate_existing=True)))
    return keep_cards(ctx, cards=cards_of(ctx, versions))


@command("model.score", Permission.SYSTEM_RUN)
def keep_cards(ctx: Context, *, cards: Sequence[Card]) -> int:
    """Keep cards in place of those of the same versions; return how many."""
    rows = [
        {"model_version_id": card.version.id, "at": ctx.now(), "card": plain(card)}
        for card in cards
    ]
    ids = [card.version.id for card in cards]
    ctx.session.execute(delete(ModelScore).where(among(ModelScore.model_version_id, ids)))
    ctx.bulk_insert(ModelScore, rows)
    return len(rows)


def shown_cards(ctx: Context, versions: Sequence[ModelVersion]) -> list[Shown]:
    """Return a card for each version: as it was kept, else counted now where that is quick."""
    ids = [version.id for version in versions]
    rows = ctx.session.execute(
        select(ModelScore.model_version_id, ModelScore.at, ModelScore.card).where(
            among(ModelScore.model_version_id, ids)
        )
    )
    kept = {version_id: (at, card) for version_id, at, card in rows}
    new = [one for one in versions if one.id not in kept]
    counted = cards_of(ctx, new) if new and _is_quick(ctx, new) else []
    found = {card.version.id: Shown(card.version, card, ctx.now()) for card in counted}
    for one in versions:
        if one.id in kept:
            at, card = kept[one.id]
            found[one.id] = Shown(one, card_from(one, card), at)
    return [found.get(one.id, Shown(one, None, None)) for one in versions]


def _is_quick(ctx: Context, versions: Sequence[ModelVersion]) -> bool:
    """Tell whether a page may count: forecasts of all versions of these kinds are read for it."""
    kinds = {version.kind for version in versions}
    of_kinds = select(ModelVersion.id).where(ModelVersion.kind.in_(kinds))
    some = (
        select(ForecastRecord.id)
        .where(ForecastRecord.model_version_id.in_(of_kinds))
        .limit(MOST_IN_A_PAGE + 1)
    )
    n = ctx.session.scalar(select(func.count()).select_from(some.subquery())) or 0
    return n <= MOST_IN_A_PAGE


def plain(card: Card) -> dict[str, Any]:
    """Return a card as it is kept, without its version."""
    return {
        "counts": {outcome.value: n for outcome, n in card.counts.items()},
        "figures": asdict(card.figures),
        "coverage": asdict(card.coverage) if card.coverage else None,
        "money": asdict(card.money),
        "horizons": [asdict(one) for one in card.horizons],
    }


def card_from(version: ModelVersion, kept: Mapping[str, Any]) -> Card:
    """Return the card that `plain` made this of."""
    figures, coverage = kept["figures"], kept["coverage"]
    return Card(
        version,
        {Outcome(outcome): n for outcome, n in kept["counts"].items()},
        Figures(
            **figures
            | {
                "warnings": _warnings(figures["warnings"]),
                "skill": Skill(**figures["skill"]) if figures["skill"] else None,
                "reliability": tuple(_bin(one) for one in figures["reliability"]),
                "baselines": {n: _warnings(one) for n, one in figures["baselines"].items()},
            }
        ),
        Coverage(**coverage) if coverage else None,
        Money(**kept["money"]),
        tuple(_horizon(one) for one in kept.get("horizons", ())),
    )


def _horizon(kept: Mapping[str, Any]) -> HorizonFigures:
    return HorizonFigures(
        **{
            **kept,
            "seen": Figure(**kept["seen"]) if kept["seen"] else None,
            "skill": Skill(**kept["skill"]) if kept["skill"] else None,
            "reliability": tuple(_bin(one) for one in kept["reliability"]),
        }
    )


def _warnings(kept: Mapping[str, Any]) -> Warnings:
    named = {
        name: Figure(**kept[name]) if kept[name] else None
        for name in ("precision", "recall", "false_alarms")
    }
    lead = Lead(**kept["lead"]) if kept["lead"] else None
    return Warnings(**{**kept, **named, "lead": lead})


def _bin(kept: Mapping[str, Any]) -> ReliabilityBin:
    low, high = kept["interval"]
    return ReliabilityBin(**{**kept, "interval": (low, high)})
