"""State machines as tables: one row a step, read by code, buttons, API, tests and docs alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from apm.core.command import Actor
from apm.core.errors import Conflict, NotAllowed
from apm.core.i18n import _l
from apm.core.permissions import Permission

S = TypeVar("S", bound=StrEnum)
Rule = Callable[[Actor, Any], bool]
"""Says whether this actor may take the step on this very thing (its assignee, another person)."""


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """`action` takes a thing from any state in `sources` to `target`."""

    action: str
    sources: frozenset[S]
    target: S
    permission: Permission
    rule: Rule | None = None

    def may(self, actor: Actor, thing: Any) -> bool:
        """Tell whether `actor` may take this step on `thing`."""
        return self.permission in actor.permissions and (not self.rule or self.rule(actor, thing))


class Lifecycle(Generic[S]):
    """The steps a thing may take."""

    def __init__(self, *steps: Step[S]) -> None:
        self.steps = steps

    def take(self, action: str, state: S, actor: Actor, thing: Any) -> Step[S]:
        """Return the step `action` takes from `state`.

        Raises:
            Conflict: there is no such step from this state.
            NotAllowed: there is, but not for this actor on this thing.
        """
        possible = [s for s in self.steps if s.action == action and state in s.sources]
        if not possible:
            raise Conflict(
                _l("That step is not possible now. Reload the page to see what is."),
                code="not_now",
            )
        for step in possible:
            if step.may(actor, thing):
                return step
        raise NotAllowed(_l("This step belongs to somebody else. Ask an engineer."))

    def open_to(self, state: S, actor: Actor, thing: Any) -> list[str]:
        """Return the actions this actor may take now: the buttons to show."""
        return [s.action for s in self.steps if state in s.sources and s.may(actor, thing)]
