"""Teaching models anew: what comes of it stands beside the model at work until it is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from apm.core.command import Context
from apm.forecasts import trends
from apm.forecasts.foretold import RECORD_DAYS, Needs
from apm.forecasts.kinds import TRAIN, Material, Taught, ask, material, train
from apm.forecasts.model import ModelKind, ModelState, ModelVersion
from apm.forecasts.proof import LEAST_FAILURES, Proof, judge
from apm.forecasts.proving import disproved, metrics_of, prove
from apm.forecasts.registry import Standing, active, at_work, register

AFTER = {
    ModelKind.LIFE: timedelta(days=90),
    ModelKind.SOON: timedelta(days=30),
    ModelKind.TREND: timedelta(days=90),
}
"""A model is taught anew so long after it was; by then its forecasts can be judged."""
AGAIN = timedelta(days=7)
"""One that could not be proved for lack of history is tried again so soon."""
S = ModelState


def train_due(
    ctx: Context, kinds: Sequence[ModelKind] = tuple(TRAIN), compute: str = "local"
) -> list[ModelVersion]:
    """Train what has no model yet or an old one; return the new versions."""
    found = []
    for kind in kinds:
        last = at_work(ctx, kind)
        newest = max((row.trained_at for row in last), default=None)
        wait = AFTER[kind] if any(row.state is not S.SHADOW for row in last) else AGAIN
        if newest is None or ctx.now() - newest >= wait:
            made = train_kind(ctx, kind, why="schedule" if last else "first", compute=compute)
            if isinstance(made, ModelVersion):
                found.append(made)
    return found


def train_kind(
    ctx: Context, kind: ModelKind, *, why: str, compute: str = "local"
) -> ModelVersion | Needs:
    """Train one kind on all that is known now and register it, or say what is missing.

    With the same records as the newest version nothing is made and that version is returned.

    Args:
        ctx: whose hospital; its clock says what "now" is.
        kind: of model.
        why: `first`, `schedule`, `drift`, `by_hand` or `unreadable`.
        compute: the setting `APM_COMPUTE`.
    """
    at = ctx.now()
    given = material(ctx, at, [kind])
    trained = train(kind, given, compute)
    if isinstance(trained, Needs):
        return trained
    known = at_work(ctx, kind)
    if known and known[-1].data_hash == trained.data_hash and why != "unreadable":
        return known[-1]
    if kind is ModelKind.TREND:
        metrics, standing = trends.standing(given.courses)
    else:
        metrics = metrics_of(kind, prove(ctx, kind, at, given.known, compute))
        standing = _standing(ctx, kind, given, metrics, compute)
        if muted := disproved(metrics):
            standing = replace(standing, why=standing.why | {"horizons": muted})
    return register(
        ctx,
        kind=kind,
        trained=trained,
        metrics=metrics,
        data_until=at,
        trained_why=why,
        standing=standing,
    )


def _standing(
    ctx: Context, kind: ModelKind, given: Material, metrics: dict[str, Any], compute: str
) -> Standing:
    """Return where a new version begins: at work only if it proved better than what there is."""
    figures = {name: metrics[name] for name in ("brier", "base_brier", "n", "failures")}
    if metrics["failures"] < LEAST_FAILURES:
        return Standing(S.SHADOW, {"code": "few_failures", "need": LEAST_FAILURES, **figures})
    if metrics["brier"] >= metrics["base_brier"]:
        return Standing(S.SHADOW, {"code": "no_better_than_baseline", **figures})
    rival = active(ctx, kind)
    if rival is None:
        was_muted = any(row.state is S.MUTED for row in at_work(ctx, kind))
        code, state = (
            ("after_a_muted_one", S.SHADOW) if was_muted else ("beats_baseline", S.ACTIVE)
        )
        return Standing(state, {"code": code, **figures})
    return _against(ctx, kind, rival, given, figures, compute)


def _against(
    ctx: Context,
    kind: ModelKind,
    rival: ModelVersion,
    given: Material,
    figures: dict[str, Any],
    compute: str,
) -> Standing:
    """Return the standing of a newcomer against the version at work, on the same moments."""
    since = given.known.at - timedelta(days=RECORD_DAYS[kind])
    if rival.data_until > since:
        return Standing(S.SHADOW, {"code": "not_compared_yet", "rival": rival.version, **figures})
    own, other = _duel(ctx, kind, rival, since, given, compute)
    both = {"rival": rival.version, "own": own, "other": other, **figures}
    if own is not None and other is not None and own < other:
        return Standing(S.ACTIVE, {"code": "beats_active", **both})
    return Standing(S.SHADOW, {"code": "no_better_than_active", **both})


def _duel(
    ctx: Context,
    kind: ModelKind,
    rival: ModelVersion,
    since: datetime,
    given: Material,
    compute: str,
) -> tuple[float | None, float | None]:
    """Return the Brier scores of a model trained `since` and of the rival, on the same moments."""
    then = material(ctx, since, [kind])
    learnt = train(kind, then, compute)
    if isinstance(learnt, Needs):
        return None, None
    scores: list[float | None] = []
    for taught in (
        Taught(kind, learnt.parameters, learnt.artifact),
        Taught(kind, rival.parameters, rival.artifact),
    ):
        proof = Proof()
        judge(proof, kind, ask(taught, then, compute), then.known, given.known)
        scores.append(proof.metrics()["brier"])
    return scores[0], scores[1]
