"""The pages on which stock changes: a delivery, a correction, a lot that is set aside."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.parts import queries
from apm.parts.forms import ChangeForm, ReceiveForm, refused
from apm.parts.keeping import Delivery, adjust, receive, scrap, transfer
from apm.parts.model import Part, Stock
from apm.parts.quarantine import (
    lot_by_id,
    places_of,
    quarantine,
    quarantines_of,
    receivers_of,
    unquarantine,
)

STOCK = Permission.PART_STOCK
pages = Blueprint("stock", __name__)


@pages.route("/parts/<int:part_id>/receive", methods=["GET", "POST"])
@requires(STOCK)
def receive_part(part_id: int) -> ResponseReturnValue:
    """The form for what came without an order."""
    ctx = context()
    part = queries.part_by_id(ctx, part_id)
    if request.method != "POST":
        return _receive_page(part, None)
    form, status = load(ReceiveForm(), request.form), 422
    if form.data:
        try:
            receive(ctx, part_id=part_id, delivery=delivery_of(form))
        except (Invalid, Conflict) as error:
            form, status = refused(error, form.typed), error.status
        else:
            flash(_("It is in stock."), "success")
            return redirect(url_for("parts.show", part_id=part_id), 303)
    return _receive_page(part, form), status


def delivery_of(form: Form) -> Delivery:
    """Return the delivery that a valid `ReceiveForm` describes."""
    said = form.data or {}
    return Delivery(
        quantity=said["quantity"],
        store=said.get("store") or "",
        lot=said.get("lot"),
        expires_on=said.get("expires_on"),
        rejected=said["rejected"],
        reject_reason=said.get("reject_reason"),
    )


def _receive_page(part: Part, form: Form | None) -> str:
    stores = queries.stores(context())
    return render_template("parts/receive.html", part=part, form=form, stores=stores, line=None)


@pages.route("/parts/<int:part_id>/stock/<int:stock_id>", methods=["GET", "POST"])
@requires(STOCK)
def change_stock(part_id: int, stock_id: int) -> ResponseReturnValue:
    """The form to correct, throw away or carry what lies in one place."""
    ctx = context()
    part = queries.part_by_id(ctx, part_id)
    if request.method != "POST":
        return _change_page(ctx, part, stock_id, None)
    form, status = load(ChangeForm(), request.form), 422
    if form.data:
        try:
            _change(ctx, part_id, stock_id, form)
        except (Invalid, Conflict) as error:
            form, status = refused(error, form.typed), error.status
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("parts.show", part_id=part_id), 303)
    return _change_page(ctx, part, stock_id, form), status


def _change(ctx: Context, part_id: int, stock_id: int, form: Form) -> None:
    said = form.data or {}
    at = {"part_id": part_id, "stock_id": stock_id}
    quantity, reason = said["quantity"], said["reason"]
    if said["do"] == "adjust":
        try:
            adjust(ctx, **at, counted=quantity, reason=reason)
        except Invalid as error:  # the page has one field for all three
            fields = {{"counted": "quantity"}.get(k, k): v for k, v in error.fields.items()}
            raise Invalid(error.message, fields=fields) from error
    elif said["do"] == "scrap":
        scrap(ctx, **at, quantity=quantity, reason=reason)
    else:
        transfer(ctx, **at, quantity=quantity, store=said["store"])


def _change_page(ctx: Context, part: Part, stock_id: int, form: Form | None) -> str:
    query = select(Stock).where(Stock.id == stock_id, Stock.part_id == part.id)
    query = query.options(joinedload(Stock.lot), joinedload(Stock.store))
    stock = ctx.session.scalar(query)
    if stock is None:
        raise NotFound(_l("Nothing of this part lies there. Reload the page."))
    return render_template(
        "parts/change.html", part=part, stock=stock, form=form, stores=queries.stores(ctx)
    )


@pages.get("/parts/lots/<int:lot_id>")
@requires(Permission.PART_READ)
def lot(lot_id: int) -> str:
    """One lot: where it lies, whether it may be used, and who received it."""
    return _lot_page(lot_id, None)


@pages.post("/parts/lots/<int:lot_id>/quarantine")
@requires(STOCK)
def set_aside(lot_id: int) -> ResponseReturnValue:
    """Set a lot aside."""
    try:
        quarantine(context(), lot_id=lot_id, reason=request.form.get("reason", "")[:2000])
    except (Invalid, Conflict) as error:
        return _lot_page(lot_id, refused(error, request.form)), error.status
    flash(_("The lot is in quarantine. Look at who received it."), "success")
    return redirect(url_for("parts.stock.lot", lot_id=lot_id), 303)


@pages.post("/parts/lots/<int:lot_id>/release")
@requires(STOCK)
def release(lot_id: int) -> ResponseReturnValue:
    """Let a lot be used again."""
    try:
        unquarantine(context(), lot_id=lot_id, note=request.form.get("note", "")[:2000])
    except (Invalid, Conflict) as error:
        return _lot_page(lot_id, refused(error, request.form)), error.status
    flash(_("The lot may be used again."), "success")
    return redirect(url_for("parts.stock.lot", lot_id=lot_id), 303)


def _lot_page(lot_id: int, form: Form | None) -> str:
    ctx = context()
    found = lot_by_id(ctx, lot_id)
    return render_template(
        "parts/lot.html",
        lot=found,
        part=found.part,
        places=places_of(ctx, found),
        quarantines=quarantines_of(ctx, found),
        receivers=receivers_of(ctx, found),
        today=hospital_day(ctx),
        form=form,
    )
