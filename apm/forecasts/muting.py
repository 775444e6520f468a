"""What a scorecard leads to: a model is muted, let to work, or shows no interval, and why.

The words of a page are found by `code`; the figures stand beside it in `ModelVersion.state_why`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from apm.core.command import Context
from apm.forecasts.arranging import arrange_fleet
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.hiding import hide_muted
from apm.forecasts.judged import CAME, STAYED_AWAY
from apm.forecasts.model import ModelState, ModelVersion
from apm.forecasts.registry import HIDDEN, Standing, at_work, move_model
from apm.forecasts.scorecard import Card, cards_of, rows_of
from apm.forecasts.scoring import SEED
from predict.errors import NotEnoughData
from predict.forecast_score import Skill, gain, not_overlapping
from predict.interval_score import Coverage

S = ModelState
HOLD = timedelta(days=90)
"""What a person has decided stands so long, whatever the score says."""
SAME_MOMENT = timedelta(hours=36)
"""Two versions spoke at the same moment if no more lies between."""


def review(ctx: Context) -> list[ModelVersion]:
    """Let each version's score decide what it may do; return those whose state changed.

    At work and worse than its baseline beyond doubt: muted.  In the shadow and better than the
    version at work on the same moments, or than the baseline where none is: to work.  A muted one
    comes back when it has become better than the baseline beyond doubt.  The same rule holds for
    the chance within each other horizon, which is muted alone.
    """
    versions = at_work(ctx)
    cards = {card.version.id: card for card in cards_of(ctx, versions)}
    changed = []
    for row in versions:
        card = cards[row.id]
        if row.state is S.RETIRED:
            continue  # what came to work a moment ago has taken its place
        is_held = _is_held(ctx, row)
        standing = None if is_held else _standing(ctx, card, versions)
        hidden = _hidden(card, is_held=is_held)
        if standing is None and hidden == _hidden_now(row):
            continue
        state, why = (standing.state, standing.why) if standing else (row.state, _bare(row))
        standing = Standing(state, why | hidden)
        moved = move_model(ctx, kind=row.kind, version=row.version, standing=standing)
        hide_muted(ctx, version_id=moved.id)
        changed.append(moved)
    if changed:
        arrange_fleet(ctx)
    return changed


def hides_interval(version: ModelVersion) -> bool:
    """Tell whether its intervals of remaining life are not to be shown: they do not hold."""
    return bool(((version.state_why or {}).get("interval") or {}).get("hidden"))


def _is_held(ctx: Context, row: ModelVersion) -> bool:
    by_hand = (row.state_why or {}).get("code") == "by_hand"
    return by_hand and ctx.now() - row.state_since < HOLD


def _standing(ctx: Context, card: Card, versions: Sequence[ModelVersion]) -> Standing | None:
    skilled = card.figures.skill
    row = card.version
    if row.state is S.ACTIVE and skilled and skilled.is_worse:
        return Standing(S.MUTED, {"code": "worse_than_baseline", **skill_plain(skilled)})
    rival = next((v for v in versions if v.kind is row.kind and v.state is S.ACTIVE), None)
    if rival is None:
        code = "better_again" if row.state is S.MUTED else "beat_baseline"
        if skilled and skilled.low > 0.0:
            return Standing(S.ACTIVE, {"code": code, **skill_plain(skilled)})
        return None
    if row.state is not S.SHADOW:
        return None
    won = duel(ctx, row, rival)
    if won and won.low > 0.0:
        why = {"code": "beat_active", "rival": rival.version, **skill_plain(won)}
        return Standing(S.ACTIVE, why)
    return None


def duel(ctx: Context, challenger: ModelVersion, champion: ModelVersion) -> Skill | None:
    """Return the skill of one version against another where both spoke; None: too few to say."""
    rows = rows_of(ctx, [challenger.id, champion.id])
    theirs: dict[tuple[int, int | None], list[Any]] = defaultdict(list)
    for row in rows.get(champion.id, ()):
        theirs[row.asset_id, row.sensor_id].append(row)
    pairs = []
    for mine in rows.get(challenger.id, ()):
        if mine.until > ctx.now() or mine.outcome not in CAME | STAYED_AWAY:
            continue
        for other in theirs.get((mine.asset_id, mine.sensor_id), ()):
            same = abs(other.at - mine.at) <= SAME_MOMENT
            if same and other.horizon_days == mine.horizon_days:
                pairs.append((mine, other))
                break
    if not pairs:
        return None
    begin = np.array([mine.at.timestamp() for mine, _ in pairs])
    end = np.array([(mine.outcome_at or mine.until).timestamp() for mine, _ in pairs])
    who = np.array([mine.asset_id for mine, _ in pairs])
    subject = np.array([(mine.sensor_id or 0) * 2.0**32 + mine.asset_id for mine, _ in pairs])
    kept = not_overlapping(subject, begin, end)
    own, base = (np.array([pair[k].probability for pair in pairs])[kept] for k in (0, 1))
    came = np.array([mine.outcome in CAME for mine, _ in pairs])[kept]
    try:
        return gain(own, base, came, who[kept], np.random.default_rng(SEED))
    except NotEnoughData:
        return None


def _hidden_now(row: ModelVersion) -> dict[str, Any]:
    return {name: what for name, what in (row.state_why or {}).items() if name in HIDDEN}


def _bare(row: ModelVersion) -> dict[str, Any]:
    return {name: what for name, what in (row.state_why or {}).items() if name not in HIDDEN}


def _hidden(card: Card, *, is_held: bool) -> dict[str, Any]:
    """Return what of its numbers is hidden, and why, in figures; as it was where nothing changed.

    Its horizons are left alone where a person has decided to let it work.
    """
    row = card.version
    hidden = _hidden_now(row)
    found = card.coverage
    if found is not None and found.is_kept == hides_interval(row):
        hidden["interval"] = coverage_plain(found)
    if is_held:
        return hidden
    muted = dict(hidden.pop("horizons", {}))
    for one in card.horizons:
        if one.skill is None or one.days == RECORD_DAYS[row.kind]:
            continue
        days = str(one.days)
        if days not in muted and one.skill.is_worse:
            muted[days] = {"code": "score", **skill_plain(one.skill), "versions": one.versions}
        elif days in muted and one.skill.low > 0.0:
            del muted[days]
    return hidden | ({"horizons": muted} if muted else {})


def skill_plain(found: Skill) -> dict[str, Any]:
    """Return a skill as it is kept with a state."""
    return {
        "brier": round(found.brier, 4),
        "base_brier": round(found.base, 4),
        "skill": round(found.value, 3),
        "low": round(found.low, 3),
        "high": round(found.high, 3),
        "n": found.n,
        "failures": found.events,
    }


def coverage_plain(found: Coverage) -> dict[str, Any]:
    """Return a coverage as it is kept: hidden where it has left what its word allows."""
    least, most = found.bounds
    return {
        "hidden": not found.is_kept,
        "seen": round(found.value, 3),
        "said": found.said,
        "least": round(least, 3),
        "most": round(most, 3),
        "n": found.n,
        "failures": found.failures,
    }
