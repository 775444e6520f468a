"""What the worker does by itself: count new readings, hear silence, end shelves."""

from datetime import timedelta

from apm.alarms import leaving as _told_of_sensors  # noqa: F401  (registers)
from apm.alarms import patience as _asked_for_silence  # noqa: F401  (registers)
from apm.alarms.evaluating import evaluate_all
from apm.alarms.neighbours import compare_rooms
from apm.alarms.silence import listen
from apm.alarms.sweeping import sweep
from apm.core.command import Context
from apm.core.jobs import job


# A lane of their own: other jobs take half a minute at times, and no alarm waits for that.
@job("alarms.evaluate", every=timedelta(seconds=5), lane="alarms")
def evaluate_new(ctx: Context) -> None:
    """Count what arrived since the last time."""
    evaluate_all(ctx)


@job("alarms.sweep", every=timedelta(seconds=30), lane="alarms")
def look_round(ctx: Context) -> None:
    """See which sensors are silent and which shelves have run out."""
    listen(ctx)
    sweep(ctx)


@job("alarms.neighbours", every=timedelta(hours=6))
def compare_neighbours(ctx: Context) -> None:
    """Compare the sensors of each room with each other, over the last day."""
    compare_rooms(ctx)
