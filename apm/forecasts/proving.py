"""How a kind of model would have done: trained on an earlier state of the records, judged since.

Every forecast is made from the records as they stood then; what happened afterwards judges it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from apm.core.command import Context
from apm.forecasts.foretold import Needs
from apm.forecasts.histories import Histories
from apm.forecasts.kinds import Taught, ask, material, train
from apm.forecasts.model import ModelKind
from apm.forecasts.proof import Proof, judge

PLAN: dict[ModelKind, list[tuple[int, tuple[int, ...]]]] = {
    ModelKind.LIFE: [(days, (days,)) for days in (360, 270, 180, 90)],
    ModelKind.SOON: [(120, (120, 90, 60, 30))],
}
"""Days before now at which a model is trained, and at which it is then asked."""


def prove(
    ctx: Context, kind: ModelKind, at: datetime, truth: Histories, compute: str = "local"
) -> Proof:
    """Return how models of this kind, trained earlier, did until `at`.

    Args:
        ctx: whose records.
        kind: life or soon.
        at: the end of the judged time.
        truth: the records as of `at`.
        compute: where to compute.
    """
    proof = Proof()
    for learn_days, ask_days in PLAN[kind]:
        learnt = train(kind, material(ctx, at - timedelta(days=learn_days), [kind]), compute)
        if isinstance(learnt, Needs):
            continue
        taught = Taught(kind, learnt.parameters, learnt.artifact)
        for days in ask_days:
            given = material(ctx, at - timedelta(days=days), [kind])
            judge(proof, kind, ask(taught, given, compute), given.known, truth)
    return proof
