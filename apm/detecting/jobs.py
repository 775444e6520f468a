"""What the worker does by itself: score readings soon after they arrive."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.detecting.scoring import score_new


@job("detecting.score", every=timedelta(seconds=5))
def score(ctx: Context) -> None:
    """Score what arrived since the last time."""
    score_new(ctx)
