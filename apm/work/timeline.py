"""What happened to a work order, told from the audit trail: it cannot say anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.work.lifecycle import WORK
from apm.work.model import WorkOrder
from apm.work.queries import history_of

TOLD = frozenset(
    {step.action for step in WORK.steps}
    | {
        "open",
        "record",
        "accept",
        "reopen",
        "set_downtime",
        "add_labour",
    }
)
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
    to: str | None = None
    """Who it went to."""
    priority: str | None = None
    """The priority it got."""


def _deeds(history: Sequence[AuditEntry]) -> list[list[AuditEntry]]:
    """Return what was written by one command together, newest first."""
    by_deed = groupby(
        history, key=lambda entry: (entry.command, entry.actor, entry.request_id or entry.at)
    )
    return [list(written) for _deed, written in by_deed][::-1]


def timeline_of(ctx: Context, order: WorkOrder) -> list[Happening]:
    """Return the order's story, newest first."""
    lines = []
    for one_deed in _deeds(history_of(ctx, order)):
        entry = one_deed[0]
        action = entry.command.partition(".")[2].removeprefix("_")
        changes = [change for part in one_deed for change in part.changes.items()]
        new = {name: change[1] for name, change in changes}
        lines.append(
            Happening(
                entry.at,
                entry.actor,
                action if action in TOLD else "changed",
                new.get("state"),
                new.get("reason") or new.get("note"),
                new.get("assignee_name"),
                new.get("priority") if action == "prioritise" else None,
            )
        )
    return lines
