"""The pages of parts: the catalogue, one part, its form."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

import apm.parts.sections  # noqa: F401  (registers the section of the work-order page)
from apm.accounts.queries import hospital_day
from apm.assets.categories import all_categories, category
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.http import Form, context, is_htmx, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.parts import commands, queries, web_buying, web_stock, web_work
from apm.parts.demand import forecast_of
from apm.parts.forms import refused
from apm.parts.model import Part, Unit
from apm.parts.purchasing import open_lines_of
from apm.parts.quantities import MILLI, plain
from apm.parts.reorder import SERVICE_LEVEL, assess
from apm.parts.schema import PartForm
from apm.vendors.model import Vendor
from apm.vendors.queries import active_vendors

READ, EDIT = Permission.PART_READ, Permission.PART_EDIT
SHOWS = ("", "low", "expiring", "quarantined", "retired")
web = Blueprint("parts", __name__)
for pages in (web_buying.pages, web_stock.pages, web_work.pages):
    web.register_blueprint(pages)
web.add_app_template_filter(plain, "plain_quantity")


@web.app_template_filter("units")
def units(milli: float | None) -> float | None:
    """Return thousandths as units, for the filters that write numbers."""
    return None if milli is None else milli / MILLI


@web.get("/parts")
@requires(READ)
def parts() -> str:
    """The catalogue with what there is of each part."""
    ctx = context()
    show = request.args.get("show", "")
    wanted = queries.PartQuery(
        q=request.args.get("q", "")[:200],
        category=request.args.get("category", ""),
        show=show if show in SHOWS else "",
    )
    page = queries.part_page(ctx, wanted, after=request.args.get("after"))
    address = {name: value for name, value in request.args.items() if name != "after"}
    return render_template(
        "parts/_list.html" if is_htmx() else "parts/parts.html",
        page=page,
        wanted=wanted,
        standings=queries.standings(ctx, [part.id for part in page.items]),
        counts=queries.counts_of(ctx),
        shows=SHOWS,
        categories=[(entry.code, entry.name) for entry in all_categories()],
        after=request.args.get("after"),
        address=address,
    )


@web.get("/parts/scan")
@requires(READ)
def scan() -> ResponseReturnValue:
    """The scanner for parts; what is typed is a barcode or a part number."""
    typed = request.args.get("code", "").strip()
    status = 200
    if typed:
        try:
            part = queries.part_by_code(context(), typed)
        except NotFound:
            status = 404
        else:
            return redirect(url_for("parts.show", part_id=part.id), 303)
    return render_template("parts/scan.html", typed=typed), status


@web.get("/parts/<code>")
@requires(READ)
def by_code(code: str) -> ResponseReturnValue:
    """The way to a part by its number or barcode."""
    part = queries.part_by_code(context(), code)
    return redirect(url_for("parts.show", part_id=part.id), 303)


@web.get("/parts/<int:part_id>")
@requires(READ)
def show(part_id: int) -> ResponseReturnValue:
    """Everything about one part; a number that is no id may be a part number or barcode."""
    ctx = context()
    try:
        part = queries.part_by_id(ctx, part_id)
    except NotFound:
        return by_code(str(part_id))
    standing = queries.standings(ctx, [part.id])[part.id]
    return render_template(
        "parts/part.html",
        part=part,
        kind=category(part.category) if part.category else None,
        standing=standing,
        stock=queries.stock_of(ctx, part.id),
        lines=open_lines_of(ctx, part.id),
        proposal=assess(part, standing, forecast_of(ctx, part.id)),
        service_level=SERVICE_LEVEL,
        moves=queries.moves_page(ctx, part.id, after=request.args.get("after"), limit=20),
        today=hospital_day(ctx),
        soon=hospital_day(ctx) + queries.SOON,
    )


@web.route("/parts/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> ResponseReturnValue:
    """The form for a new part."""
    if request.method != "POST":
        return _form_page(None, None)
    form = load(PartForm(), request.form)
    if form.data:
        try:
            part = commands.add_part(context(), **form.data)
        except Invalid as error:
            form = refused(error, form.typed)
        else:
            flash(_("The part is added. Receive what there is of it next."), "success")
            return redirect(url_for("parts.show", part_id=part.id), 303)
    return _form_page(form, None), 422


@web.route("/parts/<int:part_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(part_id: int) -> ResponseReturnValue:
    """The form for changes."""
    ctx = context()
    part = queries.part_by_id(ctx, part_id)
    if request.method != "POST":
        return _form_page(None, part)
    form, status = load(PartForm(), request.form), 422
    if form.data:
        version = whole_number(request.form.get("version")) or 0
        try:
            commands.update_part(
                ctx, part_id=part_id, version=version, **{**_emptied(), **form.data}
            )
        except (Invalid, Conflict) as error:
            form, status = refused(error, form.typed), error.status
            part = queries.part_by_id(ctx, part_id)  # the refusal has forgotten what was read
        else:
            flash(_("The changes are saved."), "success")
            return redirect(url_for("parts.show", part_id=part_id), 303)
    return _form_page(form, part), status


def _emptied() -> dict[str, object]:
    """A form leaves nothing out: a field sent empty, and a box without its mark, is one too."""
    many = {"fits", "barcodes"}
    lists: dict[str, object] = {name: [] for name in many if request.form.get(name) == ""}
    texts = {
        name: None
        for name in PartForm().fields
        if request.form.get(name) == "" and name not in {*many, "unit"}
    }
    return {**texts, **lists, "is_consumable": False, "is_active": False}


def _form_page(form: Form | None, part: Part | None) -> str:
    ctx = context()
    return render_template(
        "parts/form.html",
        form=form,
        part=part,
        units=list(Unit),
        categories=[(entry.code, entry.name) for entry in all_categories()],
        vendors=_vendors(part, active_vendors(ctx)),
    )


def _vendors(part: Part | None, active: list[Vendor]) -> list[Vendor]:
    own = part.supplier if part else None
    return [*active, own] if own is not None and own not in active else active
