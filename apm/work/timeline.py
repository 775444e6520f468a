"""What happened to a work order, told from the audit trail: it cannot say anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apm.core.command import Context
from apm.work.lifecycle import WORK
from apm.work.model import WorkOrder
from apm.work.queries import history_of

TOLD = frozenset({step.action for step in WORK.steps} | {"open", "record", "accept", "reopen"})
"""Actions with a word of their own; anything else is a change."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line."""

    at: datetime
    who: str
    action: str
    """A word of `label("action", ...)`."""
    state: str | None
    reason: str | None


def timeline_of(ctx: Context, order: WorkOrder) -> list[Happening]:
    """Return the order's story, newest first."""
    lines = []
    for entry in reversed(history_of(ctx, order)):
        action = entry.command.partition(".")[2].removeprefix("_")
        _old, state = entry.changes.get("state", [None, None])
        _old, reason = entry.changes.get("reason", [None, None])
        lines.append(
            Happening(
                entry.at, entry.actor, action if action in TOLD else "changed", state, reason
            )
        )
    return lines
