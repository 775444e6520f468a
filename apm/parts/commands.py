"""Keeping the catalogue of parts."""

from __future__ import annotations

from typing import Any, Unpack

from sqlalchemy import select

from apm.accounts.queries import own_hospital
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.parts import search
from apm.parts.model import (
    Part,
    PartBarcode,
    PartFit,
    PurchaseLine,
    Reservation,
    StockMove,
    Unit,
)
from apm.parts.quantities import milli_of
from apm.parts.queries import part_by_id
from apm.parts.schema import PartChanges, PartDetails
from apm.vendors.queries import vendor_by_id


@command("part.add", Permission.PART_EDIT)
def add_part(ctx: Context, *, number: str, name: str, **details: Unpack[PartDetails]) -> Part:
    """Add a part to the catalogue; there is none of it in stock yet.

    Raises:
        Invalid: the number or a barcode is another part's, or a value does not fit.
        NotFound: no such supplier here.
    """
    _refuse_taken_number(ctx, number)
    hospital = own_hospital(ctx)
    part = Part(
        number=number, name=name, unit=Unit.PIECE, minimum_milli=0, is_active=True,
        currency=hospital.currency if hospital else "CNY", fits=[], barcodes=[],
    )  # fmt: skip
    _assign(ctx, part, details)
    ctx.session.add(part)
    ctx.session.flush()
    search.index(ctx, part)
    return part


@command("part.update", Permission.PART_EDIT)
def update_part(
    ctx: Context, *, part_id: int, version: int | None = None, **changes: Unpack[PartChanges]
) -> Part:
    """Change the fields given, leave the others; errors as `add_part`.

    Raises:
        Conflict: changed since `version`, or another unit for a part with a history.
    """
    part = part_by_id(ctx, part_id)
    if version is not None and version != part.version:
        raise Conflict(_l("Somebody else changed this first. Reload and try again."))
    number = changes.get("number")
    if number is not None and number != part.number:
        _refuse_taken_number(ctx, number)
    unit = changes.get("unit", part.unit)
    if unit is not part.unit and _is_used(ctx, part):
        raise Conflict(
            _l("This part has a history in its old unit. Retire it and add a new one."),
            code="unit_in_use",
        )
    _assign(ctx, part, changes)
    ctx.session.flush()
    search.index(ctx, part)
    return part


def _assign(ctx: Context, part: Part, changes: PartDetails | PartChanges) -> None:
    values: dict[str, Any] = {**changes}
    if "unit" in values:
        part.unit = values.pop("unit")
    if "minimum" in values:
        minimum = values.pop("minimum")
        typed = 0 if minimum is None else minimum
        part.minimum_milli = milli_of(typed, part.unit, field="minimum", least=0)
    if "supplier" in values:
        wanted = values.pop("supplier")
        part.supplier = vendor_by_id(ctx, wanted) if wanted is not None else None
        part.supplier_id = wanted
    if "barcodes" in values:
        _put_barcodes(ctx, part, values.pop("barcodes") or [])
    if "fits" in values:
        _put_fits(part, values.pop("fits") or [])
    for field, value in values.items():
        if getattr(part, field) != value:
            setattr(part, field, value)


def _put_barcodes(ctx: Context, part: Part, codes: list[str]) -> None:
    if len(set(codes)) < len(codes):
        raise _bad_barcodes(_l("The same barcode stands here twice. Delete one of them."))
    query = select(PartBarcode.code, Part.number).join(Part, Part.id == PartBarcode.part_id)
    others = query.where(PartBarcode.code.in_(codes), Part.id != (part.id or 0))
    if taken := ctx.session.execute(others).first():
        raise _bad_barcodes(
            _l(
                "Barcode %(code)s belongs to part %(number)s. One code cannot mean two parts.",
                code=taken[0],
                number=taken[1],
            )
        )
    kept = {barcode.code: barcode for barcode in part.barcodes}
    part.barcodes = [kept.get(code) or PartBarcode(code=code) for code in codes]


def _bad_barcodes(message: object) -> Invalid:
    return Invalid(message, fields={"barcodes": [message]}, code="barcode_taken")


def _put_fits(part: Part, fits: list[dict[str, str | None]]) -> None:
    kept = {(fit.manufacturer, fit.model): fit for fit in part.fits}
    wanted = dict.fromkeys((fit["manufacturer"] or "", fit.get("model")) for fit in fits)
    if any(not manufacturer for manufacturer, _model in wanted):
        message = _l("Write the manufacturer first, then a comma and the model.")
        raise Invalid(message, fields={"fits": [message]})
    part.fits = [kept.get(fit) or PartFit(manufacturer=fit[0], model=fit[1]) for fit in wanted]


def _is_used(ctx: Context, part: Part) -> bool:
    """Tell whether any quantity of a part is on record."""
    return any(
        ctx.session.scalar(select(row.id).where(row.part_id == part.id).limit(1)) is not None
        for row in (StockMove, Reservation, PurchaseLine)
    )


def _refuse_taken_number(ctx: Context, number: str) -> None:
    if ctx.session.scalar(select(Part.id).where(Part.number == number)) is not None:
        message = _l("Another part has this number. Give a different one.")
        raise Invalid(message, fields={"number": [message]}, code="number_taken")
