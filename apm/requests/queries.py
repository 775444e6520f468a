"""Reading requests: lists by where they stand, one with everything on it, one by its link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.core.codes import find_code, token_digest
from apm.core.command import Context
from apm.core.db import ApmSession
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.requests.model import Comment, Photo, Request
from apm.requests.states import Triage
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkState

LINK_LIFE = timedelta(days=90)
"""How long a reporter's link still opens after the request has ended."""
GROUPS = {
    "new": _l("To triage"),
    "needs_info": _l("Waiting for an answer"),
    "in_work": _l("In work"),
    "repaired": _l("Repaired, not confirmed"),
    "ended": _l("Ended"),
}
"""How the list is divided: each request is in exactly one group."""

_WORKED_ON = OPEN_WORK - {WorkState.DONE}
_IS_ACCEPTED = Request.triage == Triage.ACCEPTED
_GROUP: ColumnElement[str] = case(
    (Request.triage == Triage.OPEN, "new"),
    (Request.triage == Triage.NEEDS_INFO, "needs_info"),
    (
        and_(_IS_ACCEPTED, Request.verified_at.is_(None), WorkOrder.state.in_(_WORKED_ON)),
        "in_work",
    ),
    (
        and_(
            _IS_ACCEPTED,
            Request.verified_at.is_(None),
            WorkOrder.state.in_([WorkState.DONE, WorkState.CLOSED]),
        ),
        "repaired",
    ),
    else_="ended",
)


def _whole(query: Select[Request]) -> Select[Request]:
    return query.options(
        joinedload(Request.work_order),
        joinedload(Request.duplicate_of).joinedload(Request.work_order),
        joinedload(Request.asset).joinedload(Asset.department),
        joinedload(Request.asset).joinedload(Asset.location),
    )


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests to show; empty means all."""

    groups: frozenset[str] = frozenset()
    no: str | None = None
    is_adverse: bool = False

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> RequestFilter:
        """Read the filter from an address; what makes no sense is left out."""
        many = getattr(args, "getlist", lambda name: [args[name]] if name in args else [])
        groups = frozenset(many("state")) & GROUPS.keys()
        no = (args.get("q") or "").strip().upper() or None
        return cls(groups, no, args.get("adverse") == "1")


def request_page(
    ctx: Context, wanted: RequestFilter, *, after: str | None = None, limit: int = 50
) -> Page[Request]:
    """Return the newest requests that fit."""
    query = _whole(select(Request))
    if wanted.groups:
        query = _with_work(query).where(_GROUP.in_(wanted.groups))
    if wanted.no:
        query = query.where(Request.no == wanted.no)
    if wanted.is_adverse:
        query = query.where(Request.adverse_at.is_not(None))
    return page_of(ctx.session, query, by=[Request.id], after=after, limit=limit, descending=True)


def request_counts(ctx: Context) -> dict[str, int]:
    """Return how many requests each group holds."""
    query = select(_GROUP, func.count(Request.id)).group_by(_GROUP)
    query = query.outerjoin(WorkOrder, Request.work_order_id == WorkOrder.id)
    return {group: n for group, n in ctx.session.execute(query)}  # noqa: C416  (typed)


def adverse_count(ctx: Context) -> int:
    """Return how many requests are marked as suspected adverse events."""
    query = select(func.count(Request.id)).where(Request.adverse_at.is_not(None))
    return ctx.session.scalar(query) or 0


def adverse_on(ctx: Context, asset: Asset) -> list[Request]:
    """Return the suspected adverse events with an asset, newest first."""
    query = _whole(select(Request)).where(
        Request.asset_id == asset.id, Request.adverse_at.is_not(None)
    )
    return list(ctx.session.scalars(query.order_by(Request.id.desc()).limit(5)))


def _with_work(query: Select[Request]) -> Select[Request]:
    return query.outerjoin(WorkOrder, Request.work_order_id == WorkOrder.id)


def request_by_no(ctx: Context, no: str) -> Request:
    """Return one request with asset and work order, or raise `NotFound`."""
    found = request_if_any(ctx, no)
    if found is None:
        raise NotFound(_l("There is no such request here. Check the number in the list."))
    return found


def request_if_any(ctx: Context, no: str) -> Request | None:
    """Return one request with asset and work order, None where there is none."""
    return ctx.session.scalar(_whole(select(Request).where(Request.no == no)))


def to_triage(ctx: Context, limit: int = 50) -> list[Request]:
    """Return the requests nobody has decided about, oldest first."""
    query = _whole(select(Request).where(Request.triage == Triage.OPEN))
    return list(ctx.session.scalars(query.order_by(Request.id).limit(limit)))


def open_on(ctx: Context, asset: Asset) -> list[Request]:
    """Return the reports on an asset that are not finished, newest first."""
    is_open = or_(
        Request.triage.in_([Triage.OPEN, Triage.NEEDS_INFO]),
        and_(_IS_ACCEPTED, WorkOrder.state.in_(_WORKED_ON)),
    )
    query = _with_work(_whole(select(Request))).where(Request.asset_id == asset.id, is_open)
    return list(ctx.session.scalars(query.order_by(Request.id.desc()).limit(5)))


def comments_of(ctx: Context, *requests: Request) -> list[Comment]:
    """Return what was said about some requests, oldest first."""
    ids = [request.id for request in requests]
    query = select(Comment).where(Comment.request_id.in_(ids)).order_by(Comment.id)
    return list(ctx.session.scalars(query.limit(200)))


def photos_of(ctx: Context, *requests: Request) -> list[Photo]:
    """Return the photos of some requests, without the pictures themselves."""
    ids = [request.id for request in requests]
    query = select(Photo).where(Photo.request_id.in_(ids)).order_by(Photo.id)
    return list(ctx.session.scalars(query.limit(40)))


@dataclass(frozen=True, slots=True)
class Told:
    """One report with everything that came along."""

    request: Request
    comments: list[Comment]
    photos: list[Photo]


def told_by(ctx: Context, requests: list[Request]) -> list[Told]:
    """Return what some reports say, in two statements however many there are."""
    comments, photos = comments_of(ctx, *requests), photos_of(ctx, *requests)
    return [
        Told(
            request,
            [comment for comment in comments if comment.request_id == request.id],
            [photo for photo in photos if photo.request_id == request.id],
        )
        for request in requests
    ]


def merged_into(ctx: Context, *requests: Request) -> list[Request]:
    """Return the reports merged into some others, oldest first."""
    ids = [request.id for request in requests]
    query = _whole(select(Request)).where(Request.duplicate_of_id.in_(ids))
    return list(ctx.session.scalars(query.order_by(Request.id).limit(50)))


def photo_jpeg(ctx: Context, request: Request, photo_id: int) -> bytes:
    """Return one picture, or raise `NotFound`."""
    query = select(Photo.jpeg).where(Photo.id == photo_id, Photo.request_id == request.id)
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such photo. Go back to the request."))
    return found


def hospital_of_link(session: ApmSession, token: str) -> tuple[int, str] | None:
    """Return the hospital and the request number a reporter's link leads to, whoever asks."""
    found = find_code(session, "request", token_digest(token))
    return (found.hospital_id, found.target) if found else None


def has_expired(request: Request, now: datetime) -> bool:
    """Tell whether the reporter's link (what it follows loaded) has served its time."""
    followed = request.followed
    if request.is_open or followed.is_open:
        return False
    order = followed.work_order
    ends = [request.reported_at, followed.verified_at, order.closed_at if order else None,
            order.done_at if order else None]  # fmt: skip
    return max(end for end in ends if end is not None) < now - LINK_LIFE


def requests_of(ctx: Context, order: WorkOrder) -> list[Request]:
    """Return the requests an order answers, or answered before it was done again."""
    origin = order.origin or ""
    asked = origin.removeprefix("request:") if origin.startswith("request:") else ""
    is_theirs = or_(Request.work_order_id == order.id, Request.no == asked)
    query = _whole(select(Request)).where(is_theirs).order_by(Request.id)
    return list(ctx.session.scalars(query))
