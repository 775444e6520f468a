"""What the worker does by itself: score readings soon after they arrive, hear what people say."""

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.detecting.fatigue import look_for_fatigue
from apm.detecting.scoring import score_new


# A lane of its own: thousands of detectors take a minute, and alarms must not wait for them.
@job("detecting.score", every=timedelta(seconds=5), lane="detectors")
def score(ctx: Context) -> None:
    """Score what arrived since the last time."""
    score_new(ctx)


@job("detecting.fatigue", every=timedelta(hours=6))
def act_on_fatigue(ctx: Context) -> None:
    """Raise the threshold of detectors that call in vain too often; let others fall back."""
    look_for_fatigue(ctx)
