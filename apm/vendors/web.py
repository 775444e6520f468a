"""The pages of vendors: the list, and the form of one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.vendors import commands, queries
from apm.vendors.link_pages import link_pages
from apm.vendors.model import Vendor
from apm.vendors.order_pages import order_pages
from apm.vendors.schema import VendorForm

EDIT = Permission.VENDOR_EDIT
web = Blueprint("vendors", __name__)


@web.get("/vendors")
@requires(EDIT)
def vendors() -> str:
    """All vendors by name."""
    page = queries.vendor_page(context(), after=request.args.get("after"))
    return render_template("vendors/vendors.html", page=page)


@web.route("/vendors/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> ResponseReturnValue:
    """The form for a new vendor."""
    if request.method != "POST":
        return _form_page(None, None)
    form = load(VendorForm(), request.form)
    if form.data:
        try:
            commands.add_vendor(context(), **form.data)
        except Invalid as error:
            form = _refused(form, error)
        else:
            flash(_("The vendor is added."), "success")
            return redirect(url_for("vendors.vendors"), 303)
    return _form_page(form, None), 422


@web.route("/vendors/<int:vendor_id>", methods=["GET", "POST"])
@requires(EDIT)
def edit(vendor_id: int) -> ResponseReturnValue:
    """The form of one vendor."""
    ctx = context()
    vendor = queries.vendor_by_id(ctx, vendor_id)
    if request.method != "POST":
        return _form_page(None, vendor)
    form = load(VendorForm(), request.form)
    if form.data:
        emptied = {name: None for name in VendorForm().fields if request.form.get(name) == ""}
        said = {**emptied, **form.data, "is_active": form.data.get("is_active", False)}
        version = whole_number(request.form.get("version")) or 0
        try:
            commands.update_vendor(ctx, vendor_id=vendor_id, version=version, **said)
        except Invalid as error:
            form = _refused(form, error)
        else:
            flash(_("The changes are saved."), "success")
            return redirect(url_for("vendors.vendors"), 303)
    return _form_page(form, vendor), 422


def _refused(form: Form, error: Invalid) -> Form:
    errors = {name: [str(e) for e in found] for name, found in error.fields.items()}
    return Form(None, errors or {"_schema": [str(error)]}, form.typed)


def _form_page(form: Form | None, vendor: Vendor | None) -> str:
    return render_template("vendors/form.html", form=form, vendor=vendor)


for part in (link_pages, order_pages):
    web.register_blueprint(part)
