"""What is done with assets."""

from __future__ import annotations

from typing import Any, Unpack

from apm.accounts.queries import own_hospital
from apm.assets import search
from apm.assets.categories import category as category_of
from apm.assets.events import AssetsDescribed
from apm.assets.lifecycle import LIFECYCLE, SIDE, enter, step_between
from apm.assets.model import GONE, Asset, AssetState, Availability
from apm.assets.places import Places, code_row
from apm.assets.queries import asset_by_code, asset_by_number
from apm.assets.schema import AssetChanges, AssetDetails
from apm.core.codes import new_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission

S = AssetState
DESCRIBES = ("manufacturer", "model", "lot", "serial")
"""What notices of makers go by."""


@command("asset.create", Permission.ASSET_EDIT)
def create_asset(
    ctx: Context, *, number: str, name: str, category: str, **details: Unpack[AssetDetails]
) -> Asset:
    """Add an asset under a fresh random code; unknown departments and locations are made.

    Raises:
        Invalid: the number is taken, or the category unknown.
    """
    _refuse_taken(ctx, number)
    asset = new_asset(ctx, number=number, name=name, category=category)
    places = Places(ctx)
    assign(places, asset, details)
    ctx.session.add(asset)
    ctx.session.flush()
    search.index(ctx, [asset])
    ctx.emit(AssetsDescribed([asset.id]))
    return asset


def new_asset(ctx: Context, *, number: str, name: str, category: str) -> Asset:
    """Return an asset with a fresh code, not yet in the session; its code leads to it already."""
    risk = category_of(category).risk
    hospital = own_hospital(ctx)
    asset = Asset(code=new_code(), number=number, name=name, category=category, risk=risk)
    # Set what is read of it before the database would fill it in.
    asset.department = asset.location = None
    asset.lifecycle, asset.availability = AssetState.IN_SERVICE, Availability.UP
    if hospital is not None:
        asset.currency = hospital.currency
    ctx.session.add(code_row(ctx, kind="asset", code=asset.code))
    return asset


@command("asset.update", Permission.ASSET_EDIT)
def update_asset(ctx: Context, *, code: str, **changes: Unpack[AssetChanges]) -> Asset:
    """Change the fields given, leave the others.

    Raises:
        Invalid: the number is taken, or the category unknown.
        Conflict: the lifecycle has no step from here to there.
    """
    asset = asset_by_code(ctx, code)
    number = changes.get("number")
    if number is not None and number != asset.number:
        _refuse_taken(ctx, number)
    state = changes.pop("lifecycle", None)
    if state is not None and state != asset.lifecycle:
        action = step_between(asset.lifecycle, state)
        LIFECYCLE.take(action or "", asset.lifecycle, ctx.actor, asset)
        enter(ctx, asset, state)
    before = [getattr(asset, name) for name in DESCRIBES]
    assign(Places(ctx), asset, changes)
    ctx.session.flush()
    search.index(ctx, [asset])
    if before != [getattr(asset, name) for name in DESCRIBES]:
        ctx.emit(AssetsDescribed([asset.id]))
    return asset


def assign(places: Places, asset: Asset, changes: AssetDetails | AssetChanges) -> None:
    """Write changes into an asset: names of places become places, a category brings its risk."""
    values: dict[str, Any] = {**changes}
    if "department" in values:
        asset.department = places.department(values.pop("department"))
        asset.department_id = asset.department.id if asset.department else None
    if "location" in values:
        owner = asset.department if "department" in changes else None
        asset.location = places.location(values.pop("location"), owner)
        asset.location_id = asset.location.id if asset.location else None
    if "category" in values and values["category"] != asset.category:
        asset.risk = category_of(values["category"]).risk
    for field, value in values.items():
        if getattr(asset, field) != value:
            setattr(asset, field, value)


def _refuse_taken(ctx: Context, number: str) -> None:
    if asset_by_number(ctx, number) is not None:
        message = _l("Another asset has this number. Give a different one.")
        raise Invalid(message, fields={"number": [message]}, code="number_taken")


@command("asset.advance", Permission.ASSET_EDIT)
def advance(ctx: Context, *, code: str, action: str) -> Asset:
    """Take a step of an asset's life: stand_by, lend, quarantine, release, retire and so on."""
    asset = asset_by_code(ctx, code)
    step = LIFECYCLE.take(action, asset.lifecycle, ctx.actor, asset)
    back = asset.return_to if action in {"release", "find"} else None
    enter(ctx, asset, back or step.target)
    return asset


@command("asset.move", Permission.STOCKTAKE_RUN)
def move_asset(
    ctx: Context, *, code: str, location: str | None, department: str | None = None
) -> Asset:
    """Note where an asset was found or brought to; without a department it stays with its own."""
    asset = asset_by_code(ctx, code)
    changes: AssetDetails = {"location": location}
    if department is not None:
        changes["department"] = department
    assign(Places(ctx), asset, changes)
    return asset


def set_availability(asset: Asset, availability: Availability) -> None:
    """Say whether an asset can be used now; called inside another feature's command."""
    asset.availability = availability


def mark_under_repair(
    ctx: Context, asset: Asset, availability: Availability = Availability.DOWN
) -> None:
    """Take an asset out of its state for a repair; called inside a work order's command.

    One that is quarantined stays so: the repair does not release it.

    Raises:
        Conflict: it is retired or disposed of.
    """
    if asset.lifecycle in GONE:
        raise Conflict(_l("This asset is retired and cannot be repaired. Cancel the work order."))
    if asset.lifecycle is not S.QUARANTINED:
        enter(ctx, asset, S.UNDER_REPAIR)
    set_availability(asset, availability)


def return_to_service(ctx: Context, asset: Asset) -> None:
    """Put an asset back where it was before the repair; called inside a work order's command.

    A quarantined, missing or retired one stays what it is, and out of use.
    """
    if asset.lifecycle is S.UNDER_REPAIR:
        enter(ctx, asset, asset.return_to or S.IN_SERVICE)
    if asset.lifecycle not in SIDE | GONE:
        set_availability(asset, Availability.UP)
