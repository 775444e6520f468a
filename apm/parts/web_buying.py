"""The pages of buying: what to order, what was ordered, how suppliers deliver."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.core.errors import Conflict, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.parts import purchasing, queries
from apm.parts.demand import forecast_of, recalculate
from apm.parts.forms import OrderForm, ReceiveForm, refused
from apm.parts.model import Part
from apm.parts.reorder import SERVICE_LEVEL, assess, csv_of, proposals
from apm.parts.suppliers import LEAST, scores
from apm.parts.web_stock import delivery_of
from apm.vendors.queries import active_vendors

READ, STOCK = Permission.PART_READ, Permission.PART_STOCK
pages = Blueprint("buying", __name__)


@pages.get("/parts/reorder")
@requires(READ)
def reorder() -> str:
    """What to order now, and why."""
    ctx = context()
    return render_template("parts/reorder.html", found=proposals(ctx), service_level=SERVICE_LEVEL)


@pages.post("/parts/reorder")
@requires(STOCK)
def forecast_again() -> ResponseReturnValue:
    """Calculate the forecasts anew; the worker does so by itself every few hours."""
    n = recalculate(context())
    flash(_("Calculated anew for %(n)s parts.", n=n), "success")
    return redirect(url_for("parts.buying.reorder"), 303)


@pages.get("/parts/reorder.csv")
@requires(READ)
def reorder_csv() -> Response:
    """The proposal as a spreadsheet."""
    answer = Response(csv_of(proposals(context())), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="reorder.csv"'
    return answer


@pages.get("/parts/orders")
@requires(READ)
def orders() -> str:
    """What was ordered: still to come, or closed."""
    ctx, is_open = context(), request.args.get("state") != "closed"
    page = purchasing.line_page(ctx, is_open=is_open, after=request.args.get("after"))
    return render_template(
        "parts/orders.html", page=page, is_open=is_open, today=hospital_day(ctx)
    )


@pages.route("/parts/<int:part_id>/order", methods=["GET", "POST"])
@requires(STOCK)
def order(part_id: int) -> ResponseReturnValue:
    """The form to note that a part was ordered."""
    ctx = context()
    part = queries.part_by_id(ctx, part_id)
    if request.method != "POST":
        return _order_page(part, None)
    form, status = load(OrderForm(), request.form), 422
    if form.data:
        said = {name: value for name, value in form.data.items() if name != "supplier"}
        try:
            purchasing.order_part(ctx, part_id=part_id, vendor_id=form.data["supplier"], **said)
        except (Invalid, Conflict) as error:
            form, status = refused(error, form.typed), error.status
        else:
            flash(_("The order is noted. Receive it here when it comes."), "success")
            return redirect(url_for("parts.buying.orders"), 303)
    return _order_page(part, form), status


def _order_page(part: Part, form: Form | None) -> str:
    ctx = context()
    standing = queries.standings(ctx, [part.id])[part.id]
    return render_template(
        "parts/order.html",
        part=part,
        proposal=assess(part, standing, forecast_of(ctx, part.id)),
        vendors=active_vendors(ctx),
        today=hospital_day(ctx),
        form=form,
    )


@pages.route("/parts/orders/<int:line_id>", methods=["GET", "POST"])
@requires(STOCK)
def receive_order(line_id: int) -> ResponseReturnValue:
    """The form for what came of an order."""
    ctx = context()
    line = purchasing.line_by_id(ctx, line_id)
    if request.method != "POST":
        return _receive_page(line_id, None)
    form, status = load(ReceiveForm(), request.form), 422
    if form.data:
        try:
            purchasing.receive_order(ctx, line_id=line.id, delivery=delivery_of(form))
        except (Invalid, Conflict) as error:
            form, status = refused(error, form.typed), error.status
        else:
            flash(_("It is in stock."), "success")
            return redirect(url_for("parts.show", part_id=line.part_id), 303)
    return _receive_page(line_id, form), status


def _receive_page(line_id: int, form: Form | None) -> str:
    ctx = context()
    line = purchasing.line_by_id(ctx, line_id)
    return render_template(
        "parts/receive.html", part=line.part, line=line, form=form, stores=queries.stores(ctx)
    )


@pages.post("/parts/orders/<int:line_id>/close")
@requires(STOCK)
def close(line_id: int) -> ResponseReturnValue:
    """Give up what has not come."""
    purchasing.close_order(context(), line_id=line_id)
    flash(_("The order is closed."), "success")
    return redirect(url_for("parts.buying.orders"), 303)


@pages.get("/parts/suppliers")
@requires(READ)
def suppliers() -> str:
    """How suppliers deliver."""
    return render_template("parts/suppliers.html", scores=scores(context()), least=LEAST)
