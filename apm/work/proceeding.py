"""From the name of an action, as a page or a program sends it, to the command behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apm.accounts.queries import colleagues
from apm.core.command import Context
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.work.completion import Completion, close, complete
from apm.work.lifecycle import WORK
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work


def proceed(ctx: Context, *, no: str, action: str, said: Mapping[str, Any]) -> WorkOrder:
    """Take a step of a work order; `said` is a loaded `WorkForm`."""
    if action not in {step.action for step in WORK.steps}:
        raise NotFound(_l("There is no such step. Reload the page."))
    version = said["version"]
    if action == "close":
        return close(ctx, no=no, password=said["password"], version=version)
    if action == "complete":
        done = Completion(said["labour_minutes"], said["cause"], said["remedy"], said["follow_up"])
        return complete(ctx, no=no, password=said["password"], said=done, version=version)
    facts = Facts(
        reason=said["reason"],
        expected_on=said["expected_on"],
        assignee_id=person_id(ctx, said["assignee"]),
    )
    return move_work(ctx, no=no, action=action, facts=facts, version=version)


def person_id(ctx: Context, who: str | None) -> int | None:
    """Return the id of a colleague given by id or by e-mail address."""
    if not who:
        return None
    for user in colleagues(ctx):
        if who.strip().lower() in {str(user.id), user.email}:
            return user.id
    message = _l("No such person in your hospital. Choose one from the list.")
    raise Invalid(message, fields={"assignee": [message]})
