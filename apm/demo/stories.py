"""What goes wrong in the demo soon after a start, so that there is something to see."""

from __future__ import annotations

from dataclasses import dataclass

SILENT = "OR1-ROOM-T"
"""The sensor that stops sending for a while."""
SILENCE = (90.0, 420.0)
"""From when to when, in seconds after the start at speed 1."""


@dataclass(frozen=True, slots=True)
class Story:
    """A sensor leaves its usual course by up to `by` units; times are seconds after the start."""

    sensor: str
    by: float
    begins: float
    rises: float
    lasts: float
    falls: float

    def shift(self, elapsed: float) -> float:
        """Return what is added to the usual value `elapsed` seconds after the start."""
        since = elapsed - self.begins
        if since <= 0:
            return 0.0
        if since < self.rises:
            return self.by * since / self.rises
        left = self.rises + self.lasts + self.falls - since
        return self.by * max(0.0, min(1.0, left / self.falls))


_FRIDGES = ("BB-FRIDGE-2", "BB-FRIDGE-1", "BB-FRIDGE-4")
_ROOMS = ("CT1-ROOM-T", "CT2-ROOM-T", "MRI-ROOM-T")
_CHILLERS = ("CHILLER-1-OUT", "CHILLER-2-OUT")


def stories(turn: int) -> tuple[Story, ...]:
    """Return what the `turn`-th start tells: a fridge warms, a room heats up, a chiller drifts.

    Each start takes the next device of its kind.  A detector that has just seen one device in
    trouble rests for days; another one is news.
    """
    return (
        Story(_FRIDGES[turn % 3], 5.5, begins=20, rises=40, lasts=300, falls=150),
        Story(_ROOMS[turn % 3], 6.0, begins=45, rises=45, lasts=400, falls=300),
        Story(_CHILLERS[turn % 2], 4.0, begins=60, rises=120, lasts=600, falls=300),
    )


def is_silent(sensor: str, elapsed: float) -> bool:
    """Tell whether a sensor sends nothing `elapsed` seconds after the start."""
    return sensor == SILENT and SILENCE[0] <= elapsed < SILENCE[1]
