"""How a kind of model would have done: trained on an earlier state of the records, judged since.

Every forecast is made from the records as they stood then; what happened afterwards judges it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apm.core.command import Context
from apm.forecasts.foretold import HORIZONS, RECORD_DAYS, Needs
from apm.forecasts.histories import Histories
from apm.forecasts.kinds import Taught, ask, material, train
from apm.forecasts.model import ModelKind
from apm.forecasts.proof import LEAST_FAILURES, Proof, judge

FIGURES = ("brier", "base_brier", "n", "failures")
PLAN: dict[ModelKind, list[tuple[int, tuple[int, ...]]]] = {
    ModelKind.LIFE: [(days, (days,)) for days in (360, 270, 180, 90)],
    ModelKind.SOON: [(120, (120, 90, 60, 30))],
}
"""Days before now at which a model is trained, and at which it is then asked."""


def prove(
    ctx: Context, kind: ModelKind, at: datetime, truth: Histories, compute: str = "local"
) -> dict[int, Proof]:
    """Return how models of this kind, trained earlier, did until `at`, by horizon in days.

    Args:
        ctx: whose records.
        kind: life or soon.
        at: the end of the judged time.
        truth: the records as of `at`.
        compute: where to compute.
    """
    proofs = {days: Proof() for days in HORIZONS}
    for learn_days, ask_days in PLAN[kind]:
        learnt = train(kind, material(ctx, at - timedelta(days=learn_days), [kind]), compute)
        if isinstance(learnt, Needs):
            continue
        taught = Taught(kind, learnt.parameters, learnt.artifact)
        for days in ask_days:
            given = material(ctx, at - timedelta(days=days), [kind])
            said = ask(taught, given, compute)
            for horizon, proof in proofs.items():
                judge(proof, kind, said, given.known, truth, horizon)
    return proofs


def metrics_of(kind: ModelKind, proofs: dict[int, Proof]) -> dict[str, Any]:
    """Return the figures of `ModelVersion.metrics`, those of other horizons by their days."""
    others = {
        str(days): proof.metrics()
        for days, proof in proofs.items()
        if proof.said and days != RECORD_DAYS[kind]
    }
    return proofs[RECORD_DAYS[kind]].metrics() | {"horizons": others}


def disproved(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the horizons whose chances did no better than the baseline in the test on the past.

    As `ModelVersion.state_why` keeps them; of a horizon with too few failures nothing is known.
    """
    return {
        days: {"code": "test", **{name: found[name] for name in FIGURES}}
        for days, found in metrics.get("horizons", {}).items()
        if found["failures"] >= LEAST_FAILURES and found["brier"] >= found["base_brier"]
    }
