"""Links by which a company outside works on one order, and on nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.accounts.queries import colleague
from apm.core.codes import PublicCode, find_code, token_digest
from apm.core.command import Actor, Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import VENDOR_LINK, Permission
from apm.vendors.link_model import VendorLink, VendorVisit
from apm.vendors.queries import vendor_by_id
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkState

KIND = "vendor"
DAYS, MOST_DAYS = 7, 60
OFFERED = OPEN_WORK - {WorkState.PLANNED, WorkState.DONE}
"""States in which a link is made: somebody of the hospital has the order and stays with it."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who a link or a visit is for: one from the list of vendors, or a name typed in."""

    vendor_id: int | None = None
    name: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A link somebody holds, with what it leads to."""

    link: VendorLink
    order: WorkOrder
    visit: VendorVisit | None
    """The visit that goes on now."""

    @property
    def actor(self) -> Actor:
        """Who acts by it.  The mark before the name keeps it apart from colleagues'."""
        who = f"{self.visit.person}, {self.link.company}" if self.visit else self.link.company
        return Actor(f"vendor:{who}", self.link.hospital_id, VENDOR_LINK, bound_to=self.order.no)


@command("vendor_link.create", Permission.WORK_ASSIGN)
def create_link(
    ctx: Context, *, no: str, company: Company, token: str, client_key: str, days: int = DAYS
) -> VendorLink:
    """Make a link to an order that somebody of the hospital has; sent twice, it is one.

    Raises:
        NotFound: no such order here.
        Conflict: nobody has it yet, or it is finished.
        Invalid: no company, or not 1 to 60 days.
    """
    order = order_to_change(ctx, no)
    known = select(VendorLink).where(VendorLink.client_key == client_key)
    if found := ctx.session.scalar(known):
        return found
    if order.state is WorkState.PLANNED:
        raise Conflict(
            _l("Assign the work order to a colleague first: they stay with it."), code="not_now"
        )
    if order.state not in OFFERED:
        raise Conflict(_l("This work order is finished. No link is made to it."), code="not_now")
    if not 1 <= days <= MOST_DAYS:
        message = _l("Choose from 1 to %(most)s days.", most=MOST_DAYS)
        raise Invalid(message, fields={"days": [message]})
    name, phone = named(ctx, company)
    link = VendorLink(
        work_order_id=order.id,
        vendor_id=company.vendor_id,
        company=name,
        phone=phone,
        client_key=client_key,
        created_at=ctx.now(),
        created_by=author_of(ctx),
        expires_at=ctx.now() + timedelta(days=days),
    )
    ctx.session.add(link)
    ctx.session.flush()
    ctx.session.add(
        PublicCode(
            code=token_digest(token), kind=KIND, hospital_id=link.hospital_id, target=str(link.id)
        )
    )
    return link


@command("vendor_link.revoke", Permission.WORK_ASSIGN)
def revoke_link(ctx: Context, *, no: str, link_id: int) -> VendorLink:
    """End a link at once; ending it twice changes nothing."""
    order = order_to_change(ctx, no)
    link = ctx.session.get(VendorLink, link_id)
    if link is None or link.work_order_id != order.id:
        raise NotFound(_l("There is no such link on this work order. Reload the page."))
    link.revoked_at = link.revoked_at or ctx.now()
    return link


def named(ctx: Context, company: Company) -> tuple[str, str | None]:
    """Return what a company is called, and its telephone.

    Raises:
        NotFound: it is not in the list of vendors.
        Invalid: nothing was chosen and nothing typed.
    """
    if company.vendor_id is not None:
        vendor = vendor_by_id(ctx, company.vendor_id)
        return vendor.name, company.phone or vendor.phone
    name = (company.name or "").strip()
    if not name:
        message = _l("Choose a vendor or type the name of the company.")
        raise Invalid(message, fields={"company": [message]})
    return name, company.phone


def author_of(ctx: Context) -> str:
    """Return the name of the colleague, or of the program, that acts."""
    return colleague(ctx, ctx.actor.user_id).name if ctx.actor.user_id else ctx.actor.name


def way_of_token(ctx: Context, token: str) -> tuple[int, int]:
    """Return the hospital and the link a token leads to; (0, 0) for one nobody has given out."""
    found = find_code(ctx.session, KIND, token_digest(token))
    return (found.hospital_id, int(found.target)) if found else (0, 0)


def held_link(ctx: Context, link_id: int) -> Held | None:
    """Return a link that still opens, or None: unknown, expired, revoked, or its order is over.

    The statements are the same in each case, so that the time tells nobody which it was.
    """
    query = (
        select(VendorLink)
        .where(VendorLink.id == link_id)
        .options(selectinload(VendorLink.work_order).selectinload(WorkOrder.steps))
    )
    link = ctx.session.scalar(query)
    visit = open_visit(ctx, link_id)
    if link is None or not opens(link, link.work_order, ctx.now()):
        return None
    return Held(link, link.work_order, visit)


def opens(link: VendorLink, order: WorkOrder, now: datetime) -> bool:
    """Tell whether a link to an order leads anywhere."""
    return link.revoked_at is None and link.expires_at > now and order.state in OPEN_WORK


def open_visit(ctx: Context, link_id: int) -> VendorVisit | None:
    """Return the visit by this link that has not ended."""
    query = select(VendorVisit).where(
        VendorVisit.link_id == link_id, VendorVisit.left_at.is_(None)
    )
    return ctx.session.scalar(query.order_by(VendorVisit.id.desc()).limit(1))


def links_of(ctx: Context, order: WorkOrder) -> list[VendorLink]:
    """Return the links to an order, newest first, their order loaded."""
    query = select(VendorLink).where(VendorLink.work_order_id == order.id)
    query = query.options(selectinload(VendorLink.work_order)).order_by(VendorLink.id.desc())
    return list(ctx.session.scalars(query.limit(50)))
