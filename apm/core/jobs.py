"""Jobs: what the worker runs again and again, declared beside the feature they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from apm.core.command import Context
from apm.core.registry import Registry

Work = Callable[[Context], object]


@dataclass(frozen=True, slots=True)
class Job:
    """`work` runs once a hospital every `every`, as the system bound to that hospital.

    It must be safe to run twice and to stop half-way: the next run goes on.
    """

    name: str
    every: timedelta
    work: Work
    waits: bool = False
    """It waits for other servers: it gets a thread of its own, and the other jobs go on."""
    lane: str | None = None
    """Jobs of one lane share a thread of their own: done soon, however long others take."""


JOBS: Registry[Job] = Registry("jobs")


def job(
    name: str, *, every: timedelta, waits: bool = False, lane: str | None = None
) -> Callable[[Work], Work]:
    """Let the worker run a function for each hospital every so often."""

    def register(work: Work) -> Work:
        JOBS.add(name, Job(name, every, work, waits, lane))
        return work

    return register
