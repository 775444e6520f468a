"""Suspicion that a device has harmed somebody: marked at once, the device kept as it is.

A suspicion is enough (SAMR Order 1 of 2018, Art. 17 to 33); whether it was one is for the
hospital's monitor to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from apm.accounts.queries import zone_of
from apm.assets.lifecycle import LIFECYCLE, enter
from apm.assets.model import GONE, Asset, AssetState
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotAllowed
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.events import AdverseEventSuspected
from apm.requests.loading import request_to_change
from apm.requests.model import Request
from apm.requests.urgency import propose
from apm.requests.waiting import watch_anew

DEATH, SERIOUS = timedelta(days=7), timedelta(days=20)
"""Within these days it is reported to the authority, counted from when it became known."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The last days for a report to the authority."""

    known_on: date
    death_by: date
    serious_by: date


def deadlines_of(ctx: Context, request: Request) -> Deadlines | None:
    """Return until when a suspected event is reported, None where nothing is suspected."""
    if request.adverse_at is None:
        return None
    known = local_day(request.adverse_at, zone_of(ctx))
    return Deadlines(known, known + DEATH, known + SERIOUS)


@command("request.suspect_harm", Permission.REQUEST_REPORT)
def suspect_harm(
    ctx: Context, *, no: str, is_suspected: bool = True, reason: str | None = None
) -> Request:
    """Mark that somebody may have been harmed, or take that back with a reason.

    Anybody of the hospital may suspect; only who triages says that it was none.

    Raises:
        NotFound: there is no such request here.
        NotAllowed: the mark is taken back by somebody who does not triage.
        Invalid: the mark is taken back without a reason.
    """
    request = request_to_change(ctx, no)
    if is_suspected:
        mark_harm(ctx, request)
        return request
    if not ctx.actor.can(Permission.REQUEST_TRIAGE):
        raise NotAllowed(_l("This step belongs to somebody else. Ask an engineer."))
    if not (reason or "").strip():
        message = _l("Say why it was no adverse event.")
        raise Invalid(message, fields={"reason": [message]})
    request.adverse_at, request.adverse_note = None, reason
    return request


def mark_harm(ctx: Context, request: Request) -> None:
    """Mark a suspicion inside another command; the day it became known stays the first one."""
    if request.adverse_at is not None:
        return
    request.adverse_at = ctx.now()
    if request.is_open:
        propose(ctx, request, request.asset)
        watch_anew(ctx, request)
    ctx.emit(AdverseEventSuspected(request.id, request.no, request.asset_id))


@command("request.quarantine", Permission.REQUEST_TRIAGE)
def quarantine(ctx: Context, *, no: str) -> Asset:
    """Put the reported asset aside as it is; doing it twice changes nothing.

    Raises:
        NotFound: there is no such request here.
        Conflict: the asset is retired, or in a state that it cannot be put aside from.
        NotAllowed: the actor may not edit assets.
    """
    asset = request_to_change(ctx, no).asset
    if asset.lifecycle is AssetState.QUARANTINED:
        return asset
    if asset.lifecycle in GONE:
        raise Conflict(_l("This equipment is retired. Do not use it; call the department."))
    LIFECYCLE.take("quarantine", asset.lifecycle, ctx.actor, asset)
    enter(ctx, asset, AssetState.QUARANTINED)
    return asset
