"""From the name of an action, as a page or a program sends it, to the command behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.requests import confirming, merging, triage
from apm.requests.lifecycle import REQUEST
from apm.work.model import WorkOrder


def decide(ctx: Context, *, no: str, action: str, said: Mapping[str, Any]) -> WorkOrder | None:
    """Take a step of a request; `said` is a loaded `TriageForm`.  Return the order it made."""
    if action not in {step.action for step in REQUEST.steps}:
        raise NotFound(_l("There is no such step. Reload the page."))
    version = said["version"]
    if action == "accept":
        how = triage.Acceptance(
            said["priority"], said["template"], said["out_of_use"], said["why"]
        )
        return triage.accept(ctx, no=no, how=how, version=version)
    if action == "reopen":
        return confirming.reopen(ctx, no=no, comment=said["comment"])
    if action == "verify":
        confirming.verify(ctx, no=no, rating=said["rating"], comment=said["comment"])
    elif action == "mark_duplicate":
        merging.mark_duplicate(ctx, no=no, of=said["of"], version=version)
    elif action == "unmerge":
        merging.unmerge(ctx, no=no, version=version)
    elif action == "ask":
        triage.ask(ctx, no=no, reason=said["reason"], version=version)
    else:
        triage.reject(ctx, no=no, reason=said["reason"], version=version)
    return None
