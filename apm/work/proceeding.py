"""From the name of an action, as a page or a program sends it, to the command behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from apm.accounts.queries import colleagues
from apm.core.command import Context
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.work.completion import Completion, close, complete
from apm.work.lifecycle import WORK
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.phone import NOT_SAID, Sent
from apm.work.results import Answer
from apm.work.signing import Hand


def proceed(
    ctx: Context,
    *,
    no: str,
    action: str,
    said: Mapping[str, Any],
    sent: Sent = NOT_SAID,
    signed_in_at: datetime | None = None,
) -> WorkOrder:
    """Take a step of a work order; `said` is a loaded `WorkForm`.

    `sent` says when it was done; `signed_in_at` when the session began in which a signature may
    be drawn by hand.
    """
    if action not in {step.action for step in WORK.steps}:
        raise NotFound(_l("There is no such step. Reload the page."))
    version, password = said["version"], said["password"]
    hand = Hand(said["drawn"], signed_in_at, said["once"])
    if action == "close":
        return close(ctx, no=no, password=password, version=version, hand=hand)
    if action == "complete":
        done = Completion(
            said["labour_minutes"],
            said["cause"],
            said["remedy"],
            said["follow_up"],
            said["as_found"],
        )
        return complete(ctx, no=no, password=password, said=done, version=version, hand=hand)
    facts = Facts(
        reason=said["reason"],
        expected_on=said["expected_on"],
        assignee_id=person_id(ctx, said["assignee"]),
        priority=said["priority"],
        is_confirmed=said["confirm"],
        at=sent.moment(ctx.now()).at,
    )
    return move_work(ctx, no=no, action=action, facts=facts, version=version)


def answer_of(said: Mapping[str, Any]) -> Answer:
    """Return the answer in a loaded `AnswerForm`."""
    return Answer(**{field.name: said[field.name] for field in fields(Answer)})


def person_id(ctx: Context, who: str | None) -> int | None:
    """Return the id of a colleague given by id or by e-mail address."""
    if not who:
        return None
    for user in colleagues(ctx):
        if who.strip().lower() in {str(user.id), user.email}:
            return user.id
    message = _l("No such person in your hospital. Choose one from the list.")
    raise Invalid(message, fields={"assignee": [message]})
