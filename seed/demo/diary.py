"""The diary: what happened when and by whose hand, replayed in the order of time.

Replaying runs each deed as the command it stands for, by the person and at the instant of the
story.  So the audit trail tells the hospital's two years as if it had been lived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apm.core.command import Actor, Context
from apm.core.db import ApmSession

Act = Callable[[Context], object]
PAGE = 400
"""Deeds in one transaction."""


@dataclass(frozen=True, slots=True)
class Deed:
    """`act` by `actor` at an instant, as the command `name`."""

    at: datetime
    actor: Actor
    name: str
    act: Act


@dataclass(slots=True)
class Diary:
    """Deeds in any order; `replay` sorts them."""

    deeds: list[Deed] = field(default_factory=list)

    def note(self, at: datetime, actor: Actor, name: str, act: Act) -> None:
        """Write down one deed."""
        self.deeds.append(Deed(at.astimezone(UTC), actor, name, act))  # as the clock gives it

    def replay(self, session: ApmSession, system: Actor) -> Iterator[int]:
        """Do everything noted, oldest first; yield how many deeds each page held."""
        ordered = sorted(self.deeds, key=lambda deed: deed.at)  # stable: equal times keep order
        for start in range(0, len(ordered), PAGE):
            page = ordered[start : start + PAGE]
            with Context(session, system).writing("demo.seed"):
                for deed in page:
                    _do(session, deed)
            yield len(page)
        self.deeds.clear()


def _do(session: ApmSession, deed: Deed) -> None:
    # A context of its own: what it announces is history and wakes nobody (the outer one announces
    # nothing), and the trail names the person and the instant.
    ctx = Context(session, deed.actor, lambda: deed.at)
    with ctx.writing(deed.name):
        deed.act(ctx)
