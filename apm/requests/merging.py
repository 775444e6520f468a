"""Several reports of one fault: they keep their words and photos, and go the way of one.

A report that is merged stays whole; it points to the first one, is shown with it, and its
reporter follows that one and is told what its reporter is told.
"""

from __future__ import annotations

from sqlalchemy import select

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.lifecycle import NEW
from apm.requests.loading import request_to_change
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.requests.taking import announce, take_step
from apm.requests.waiting import forget_clock, resume_clock
from apm.work.loading import FRESH

MOST = 50


@command("request.mark_duplicate", Permission.REQUEST_TRIAGE)
def mark_duplicate(
    ctx: Context, *, no: str, of: str | None, version: int | None = None
) -> Request:
    """Merge a request into another about the same fault; what was merged into it comes along.

    Raises:
        NotFound: there is no such request here.
        Conflict: it is no longer new, or has changed since `version`.
        Invalid: the other one is itself merged, ended without work, or not there.
    """
    wanted = (of or "").strip().upper()
    _lock_in_order(ctx, no, wanted)
    request = take_step(ctx, no, "mark_duplicate", version)
    other = ctx.session.scalar(
        select(Request).where(Request.no == wanted).execution_options(**FRESH)
    )
    if other is None or other.id == request.id or other.triage in _NO_ORIGINAL:
        message = _l("Give the number of another request that is no duplicate itself.")
        raise Invalid(message, fields={"of": [message]})
    _merge(ctx, request, other)
    return request


_NO_ORIGINAL = frozenset({Triage.DUPLICATE, Triage.REJECTED})


@command("request.gather", Permission.REQUEST_TRIAGE)
def gather(ctx: Context, *, no: str) -> int:
    """Merge all new reports on the same asset into this one; return how many.

    Raises:
        NotFound: there is no such request here.
        Conflict: it is finished, or merged itself.
    """
    into = request_to_change(ctx, no)
    if not into.is_open:
        raise Conflict(
            _l("That step is not possible now. Reload the page to see what is."), code="not_now"
        )
    others = (
        select(Request.no)
        .where(
            Request.asset_id == into.asset_id,
            Request.id != into.id,
            Request.triage.in_([Triage.OPEN, Triage.NEEDS_INFO]),
        )
        .order_by(Request.id)
        .limit(MOST)
    )
    merged = 0
    for other_no in list(ctx.session.scalars(others)):
        other = request_to_change(ctx, other_no)
        if other.state in NEW:  # nobody decided about it while we waited for it
            _merge(ctx, other, into)
            merged += 1
    return merged


@command("request.unmerge", Permission.REQUEST_TRIAGE)
def unmerge(ctx: Context, *, no: str, version: int | None = None) -> Request:
    """Take a request out again: it is another fault after all, and stands before triage.

    Raises:
        NotFound: there is no such request here.
        Conflict: it is not merged, or the first one is finished.
    """
    request = take_step(ctx, no, "unmerge", version)
    if request.duplicate_of is None or not request.duplicate_of.is_open:
        raise Conflict(
            _l("The first report is finished. If the fault is still there, report it anew."),
            code="not_now",
        )
    request.duplicate_of = None
    request.triage = Triage.OPEN
    resume_clock(ctx, request)
    announce(ctx, request, "unmerge")
    return request


def _merge(ctx: Context, request: Request, other: Request) -> None:
    followers = select(Request).where(Request.duplicate_of_id == request.id)
    for follower in list(ctx.session.scalars(followers)):
        follower.duplicate_of_id = other.id
    request.duplicate_of = other
    request.triage = Triage.DUPLICATE
    forget_clock(ctx, request)
    announce(ctx, request, "mark_duplicate")


def _lock_in_order(ctx: Context, *numbers: str) -> None:
    """Lock both before either is looked at: of two people who merge them crosswise one waits."""
    query = select(Request.id).where(Request.no.in_(numbers)).order_by(Request.id)
    ctx.session.execute(query.with_for_update())
