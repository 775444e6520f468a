"""What the worker does about forecasts that were made: judge them, and let their score decide."""

from __future__ import annotations

from datetime import timedelta

from apm.core.command import Context
from apm.core.jobs import job
from apm.forecasts.deciding import train_wished
from apm.forecasts.drifting import drift_of
from apm.forecasts.foretelling_jobs import is_night
from apm.forecasts.model import ModelState
from apm.forecasts.muting import review
from apm.forecasts.outcomes import judge_everything, judge_news
from apm.forecasts.registry import at_work
from apm.forecasts.score_keeping import count_scores
from apm.forecasts.training import train_kind


@job("forecasts.judge", every=timedelta(hours=1))
def judge_hourly(ctx: Context) -> None:
    """Judge what is over and what had news."""
    judge_news(ctx)


@job("forecasts.review", every=timedelta(hours=24))
def review_daily(ctx: Context) -> None:
    """Judge everything again, mute and promote."""
    judge_everything(ctx)
    review(ctx)


@job("forecasts.score", every=timedelta(hours=1), lane="forecasts")
def score_hourly(ctx: Context) -> None:
    """Count the scores that pages show."""
    count_scores(ctx)


@job("forecasts.drift", every=timedelta(hours=3), lane="forecasts")
def retrain_at_night(ctx: Context) -> None:
    """Train anew what no longer fits; by day the machine and its people have better to do."""
    if not is_night(ctx):
        return
    for version in at_work(ctx):
        if version.state is ModelState.ACTIVE and drift_of(ctx, version):
            train_kind(ctx, version.kind, why="drift")


@job("forecasts.wishes", every=timedelta(minutes=5))
def train_on_wish(ctx: Context) -> None:
    """Train what somebody asked for."""
    train_wished(ctx)
