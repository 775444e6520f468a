"""One's work as a calendar (iCalendar, RFC 5545), at an address that is itself the secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import joinedload

from apm.accounts.model import Grant, User
from apm.accounts.queries import is_valid
from apm.assets.model import Asset
from apm.core.codes import PublicCode, find_code, new_token, token_digest
from apm.core.command import Context, command
from apm.core.i18n import _, choose
from apm.core.permissions import Permission
from apm.labels import label
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK

KIND = "calendar"
MOST = 500
"""Orders in a calendar; nobody has more open ones."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Whose calendar an address leads to."""

    hospital_id: int
    user: User


def has_feed(ctx: Context) -> bool:
    """Tell whether the person has a calendar address."""
    return ctx.session.scalar(_own(ctx)) is not None


def _own(ctx: Context) -> Select[int]:
    return select(PublicCode.id).where(
        PublicCode.kind == KIND,
        PublicCode.hospital_id == ctx.actor.hospital_id,
        PublicCode.target == str(ctx.actor.user_id),
    )


@command("calendar.rotate", Permission.ACCOUNT_OWN)
def rotate(ctx: Context) -> str:
    """Make a new secret for one's calendar and return it, once; the old address ends."""
    _drop(ctx)
    token = new_token()
    ctx.session.add(
        PublicCode(
            code=token_digest(token),
            kind=KIND,
            hospital_id=ctx.actor.hospital_id,
            target=str(ctx.actor.user_id),
        )
    )
    return token


@command("calendar.end", Permission.ACCOUNT_OWN)
def end(ctx: Context) -> None:
    """End one's calendar address."""
    _drop(ctx)


def _drop(ctx: Context) -> None:
    ctx.session.execute(delete(PublicCode).where(PublicCode.id.in_(_own(ctx))))


def feed_of(ctx: Context, token: str) -> Feed | None:
    """Return whose calendar a token opens; None for a wrong one, and for who has left."""
    way = find_code(ctx.session, KIND, token_digest(token))
    if way is None:
        return None
    query = (
        select(Grant)
        .where(Grant.user_id == int(way.target), Grant.hospital_id == way.hospital_id)
        .options(joinedload(Grant.user))
    )
    grant = ctx.session.scalar(query)
    if grant is None or not is_valid(grant, ctx.now()):
        return None
    return Feed(way.hospital_id, grant.user)


def orders_of(ctx: Context, user_id: int) -> list[WorkOrder]:
    """Return somebody's open orders that have a day, the earliest first, with their assets."""
    query = (
        select(WorkOrder)
        .where(
            WorkOrder.state.in_(OPEN_WORK),
            WorkOrder.assignee_id == user_id,
            WorkOrder.due_on.is_not(None),
        )
        .options(joinedload(WorkOrder.asset).joinedload(Asset.department))
        .order_by(WorkOrder.due_on, WorkOrder.id)
        .limit(MOST)
    )
    return list(ctx.session.scalars(query))


def calendar_of(orders: list[WorkOrder], *, name: str, base_url: str) -> bytes:
    """Return the orders as all-day events in the language spoken, the same bytes every time."""
    found = Calendar()
    found.add("prodid", "-//apm//work//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", name)
    found.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for order in orders:
        if order.due_on is not None:
            found.add_component(_event(order, order.due_on, base_url))
    return bytes(found.to_ical())


def _event(order: WorkOrder, day: date, base_url: str) -> Event:
    event = Event()
    event.add("uid", f"{order.no}.{order.hospital_id}@{base_url.partition('://')[2]}")
    event.add("dtstamp", _stamp(order))
    event.add("sequence", order.version)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", _summary(order))
    event.add("description", _("Priority: %(p)s", p=label("priority", order.priority)))
    if order.asset is not None and order.asset.department is not None:
        place = order.asset.department
        event.add("location", choose(place.name, place.name_zh))
    event.add("url", f"{base_url}/work-orders/{order.no}")
    event.add("transp", "TRANSPARENT")  # it takes no hour of the day
    return event


def _summary(order: WorkOrder) -> str:
    thing = choose(order.asset.name, order.asset.name_zh) if order.asset else ""
    kind = label("work_type", order.type)
    return f"{kind} {order.no}" + (f" · {thing}" if thing else "")


def _stamp(order: WorkOrder) -> datetime:
    """When the order last moved: not the time of asking, or no two answers would be the same."""
    moved = (order.created_at, order.assigned_at, order.started_at)
    return max(at for at in moved if at is not None).astimezone(UTC)
