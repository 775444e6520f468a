"""What the worker does by itself: score readings soon after they arrive."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.forecasts.scoring import score_new


# A lane of its own: thousands of detectors take a minute, and alarms must not wait for them.
@job("forecasts.score", every=timedelta(seconds=5), lane="detectors")
def score(ctx: Context) -> None:
    """Score what arrived since the last time."""
    score_new(ctx)
