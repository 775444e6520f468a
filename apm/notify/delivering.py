"""Deliveries on their way: claimed in one transaction, sent in none, settled in another.

A claim puts `next_at` off by `CLAIM`, so that a worker that dies between sending and settling is
followed by another try: at least once, and at most that one message twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import select

from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.core.settings import Settings
from apm.notify.carriers import CARRIERS, Outcome, Send
from apm.notify.model import OPEN_DELIVERY, Delivery, DeliveryState
from apm.notify.sending import Reason, SendFailed

log = logging.getLogger(__name__)
BATCH = 40
AT_ONCE = 8
CLAIM = timedelta(minutes=3)
"""Longer than a batch can take: 40 messages, 8 at once, a few times 10 s each."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 12
"""About seven hours of trying."""
TOO_OLD = timedelta(days=3)
"""A message that could not even be tried for so long is given up: it would only confuse."""


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many tries: doubling, up to an hour.

    >>> [int(pause_after(n).total_seconds()) for n in (1, 2, 3, 7, 8, 12)]
    [30, 60, 120, 1920, 3600, 3600]
    """
    return min(FIRST_PAUSE * int(2 ** min(attempts - 1, 20)), LONGEST_PAUSE)


def send_due(ctx: Context, settings: Settings) -> int:
    """Send what is due in the context's hospital; return how many tries were made."""
    claimed, refused = claim(ctx, settings=settings)
    ctx.session.rollback()  # no transaction is open while we wait for other servers
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send") as pool:
        errors = list(pool.map(_try, claimed.values()))
    outcomes = [Outcome(one, error) for one, error in zip(claimed, errors, strict=True)]
    outcomes += [Outcome(one, error) for one, error in refused.items()]
    if outcomes:
        settle(ctx, outcomes=outcomes)
    return len(outcomes)


def _try(send: Send) -> SendFailed | None:
    try:
        send()
    except SendFailed as error:
        return error
    except Exception as error:  # a library's surprise must not stop the other messages
        # Its text may quote an address with a token in it: the kind of error must do.
        log.error("sending failed unexpectedly: %s", type(error).__name__)
        return SendFailed(Reason.OTHER, type(error).__name__)
    return None


@command("delivery.claim", Permission.SYSTEM_RUN)
def claim(ctx: Context, *, settings: Settings) -> tuple[dict[int, Send], dict[int, SendFailed]]:
    """Take what is due; return what sends each, and what cannot be sent with the reason."""
    query = (
        select(Delivery)
        .where(Delivery.next_at <= ctx.now())
        .order_by(Delivery.next_at, Delivery.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    due = sorted(ctx.session.scalars(query), key=lambda one: (one.carrier, one.target_id, one.id))
    sends: dict[int, Send] = {}
    refused: dict[int, SendFailed] = {}
    for name, group in groupby(due, key=lambda one: one.carrier):
        chosen = _chosen(ctx, name, list(group))
        for one in chosen:
            one.attempts += 1
            one.next_at = ctx.now() + CLAIM
        for number, packed in CARRIERS[name].pack(ctx, settings, chosen).items():
            if isinstance(packed, SendFailed):
                refused[number] = packed
            else:
                sends[number] = packed
    return sends, refused


def _chosen(ctx: Context, name: str, due: list[Delivery]) -> list[Delivery]:
    """Return what is tried now: of a failing target one message at its time, the others wait."""
    failing = CARRIERS[name].standing(ctx, sorted({one.target_id for one in due}))
    chosen: list[Delivery] = []
    probed: set[int] = set()
    for one in due:
        retry_at = failing.get(one.target_id)
        if ctx.now() - one.made_at > TOO_OLD:
            _give_up(one, SendFailed(Reason.STALE), ctx.now())
        elif one.target_id not in failing:
            chosen.append(one)
        elif retry_at is not None and retry_at > ctx.now():
            one.next_at = retry_at
        elif one.target_id in probed:
            one.next_at = ctx.now() + CLAIM
        else:
            probed.add(one.target_id)
            chosen.append(one)
    return chosen


@command("delivery.settle", Permission.SYSTEM_RUN)
def settle(ctx: Context, *, outcomes: Sequence[Outcome]) -> None:
    """Note what was sent, when to try the rest again, and how each target fares."""
    by_id = {outcome.delivery_id: outcome.error for outcome in outcomes}
    query = select(Delivery).where(Delivery.id.in_(by_id)).order_by(Delivery.id)
    fared: dict[tuple[str, int], list[SendFailed | None]] = {}
    for one in ctx.session.scalars(query.with_for_update()):
        error = by_id[one.id]
        fared.setdefault((one.carrier, one.target_id), []).append(error)
        if one.state in OPEN_DELIVERY:
            _settle_one(one, error, ctx.now())
    for (name, target_id), errors in fared.items():
        CARRIERS[name].note(ctx, target_id, errors)


def _settle_one(one: Delivery, error: SendFailed | None, now: datetime) -> None:
    if error is None:
        one.state, one.next_at, one.done_at, one.error = DeliveryState.SENT, None, now, None
    elif error.permanent or one.attempts >= MOST_ATTEMPTS:
        _give_up(one, error, now)
    else:
        one.state, one.error = DeliveryState.FAILED, error.stored
        one.next_at = now + pause_after(one.attempts)


def _give_up(one: Delivery, error: SendFailed, now: datetime) -> None:
    one.state, one.next_at, one.done_at = DeliveryState.DEAD, None, now
    one.error = error.stored
