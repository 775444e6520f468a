"""Reading the list of vendors."""

from __future__ import annotations

from sqlalchemy import select

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.vendors.model import Vendor


def vendor_by_id(ctx: Context, vendor_id: int) -> Vendor:
    """Return a vendor, or raise `NotFound`."""
    found = ctx.session.get(Vendor, vendor_id)
    if found is None:
        raise NotFound(_l("There is no such vendor here. Choose one from the list."))
    return found


def vendor_named(ctx: Context, name: str) -> Vendor | None:
    """Return the vendor of exactly this name."""
    return ctx.session.scalar(select(Vendor).where(Vendor.name == name))


def active_vendors(ctx: Context) -> list[Vendor]:
    """Return the vendors one may choose, by name."""
    query = select(Vendor).where(Vendor.is_active).order_by(Vendor.name)
    return list(ctx.session.scalars(query))


def vendor_page(ctx: Context, *, after: str | None = None, limit: int = 50) -> Page[Vendor]:
    """Return one page of all vendors, by name."""
    return page_of(ctx.session, select(Vendor), by=[Vendor.name], after=after, limit=limit)
