"""Keeping the list of vendors."""

from __future__ import annotations

from typing import Unpack

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.vendors.model import Vendor
from apm.vendors.queries import vendor_by_id, vendor_named
from apm.vendors.schema import VendorChanges, VendorDetails


@command("vendor.add", Permission.VENDOR_EDIT)
def add_vendor(ctx: Context, *, name: str, **details: Unpack[VendorDetails]) -> Vendor:
    """Add a vendor.

    Raises:
        Invalid: there is one of this name.
    """
    _refuse_taken(ctx, name)
    vendor = Vendor(name=name, is_active=True)
    _assign(vendor, details)
    ctx.session.add(vendor)
    ctx.session.flush()
    return vendor


@command("vendor.update", Permission.VENDOR_EDIT)
def update_vendor(
    ctx: Context, *, vendor_id: int, version: int | None = None, **changes: Unpack[VendorChanges]
) -> Vendor:
    """Change the fields given, leave the others.

    Raises:
        NotFound: no such vendor here.
        Invalid: another one has this name.
        Conflict: changed since `version`.
    """
    vendor = vendor_by_id(ctx, vendor_id)
    if version is not None and version != vendor.version:
        raise Conflict(_l("Somebody else changed this first. Reload and try again."))
    name = changes.get("name")
    if name is not None and name != vendor.name:
        _refuse_taken(ctx, name)
    _assign(vendor, changes)
    ctx.session.flush()
    return vendor


def _assign(vendor: Vendor, changes: VendorDetails | VendorChanges) -> None:
    for field, value in changes.items():
        if getattr(vendor, field) != value:
            setattr(vendor, field, value)


def _refuse_taken(ctx: Context, name: str) -> None:
    if vendor_named(ctx, name) is not None:
        message = _l("Another vendor has this name. Use that one, or give a different name.")
        raise Invalid(message, fields={"name": [message]}, code="name_taken")
