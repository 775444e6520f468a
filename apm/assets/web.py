"""The pages of assets: the register, one asset, its form, the scanner."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from apm.assets import commands, web_lists
from apm.assets.categories import all_categories, category
from apm.assets.facets import KINDS, facets_of
from apm.assets.history import history_panel
from apm.assets.lifecycle import LIFECYCLE
from apm.assets.model import Asset, Availability, Condition
from apm.assets.panels import panel, panels_of
from apm.assets.qr import label_url, svg_of
from apm.assets.queries import (
    asset_by_code,
    asset_by_number,
    departments,
    locations,
    register_page,
)
from apm.assets.schema import AssetForm, values_of
from apm.core.command import Context
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, is_htmx, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission

web = Blueprint("assets", __name__)
web.register_blueprint(web_lists.lists)
web.add_app_template_global(category, "category")
panel(order=90, permission=Permission.WORK_READ)(history_panel)


@web.get("/assets")
@requires(Permission.ASSET_READ)
def register() -> str:
    """The register: search, filters with counts, one page of assets."""
    ctx = context()
    wanted = web_lists.filter_of(request.args)
    after = request.args.get("after")
    page = register_page(ctx, wanted, after=after)
    facets = facets_of(ctx, wanted)
    address = request.args.to_dict(flat=False)
    return render_template(
        "assets/_results.html" if is_htmx() else "assets/register.html",
        page=page,
        wanted=wanted,
        facets=facets,
        after=after,
        chosen=[(kind, value) for kind in KINDS for value in getattr(wanted, kind)],
        address={name: values for name, values in address.items() if name != "after"},
    )


@web.get("/assets/<code>")
@requires(Permission.ASSET_READ)
def show(code: str) -> ResponseReturnValue:
    """Everything about one asset."""
    ctx = context()
    asset = asset_by_code(ctx, code)
    if code != asset.code:
        return redirect(url_for("assets.show", code=asset.code), 301)
    return render_template(
        "assets/asset.html",
        asset=asset,
        kind=category(asset.category),
        steps=LIFECYCLE.open_to(asset.lifecycle, ctx.actor, asset),
        panels=panels_of(ctx, asset),
    )


@web.get("/assets/<code>/qr.svg")
@requires(Permission.ASSET_READ)
def qr(code: str) -> Response:
    """The QR code of the label as a picture."""
    asset = asset_by_code(context(), code)
    base_url = current_app.config["APM_SETTINGS"].base_url
    picture = Response(svg_of(label_url(base_url, asset.code)), mimetype="image/svg+xml")
    picture.cache_control.max_age = 86400
    picture.cache_control.private = True
    return picture


@web.post("/assets/<code>/advance")
@requires(Permission.ASSET_EDIT)
def advance(code: str) -> ResponseReturnValue:
    """A step of the asset's life."""
    asset = commands.advance(context(), code=code, action=request.form.get("action", ""))
    flash(_("The state has changed."), "success")
    return redirect(url_for("assets.show", code=asset.code), 303)


@web.route("/assets/new", methods=["GET", "POST"])
@requires(Permission.ASSET_EDIT)
def new() -> ResponseReturnValue:
    """The form for a new asset."""
    if request.method != "POST":
        return _form_page(None, None)
    form = load(AssetForm(), request.form)
    if form.data:
        try:
            asset = commands.create_asset(context(), **form.data)
        except Invalid as error:
            form = _refused(form, error)
        else:
            flash(_("The asset is added. Print its label next."), "success")
            return redirect(url_for("assets.show", code=asset.code), 303)
    return _form_page(form, None), 422


@web.route("/assets/<code>/edit", methods=["GET", "POST"])
@requires(Permission.ASSET_EDIT)
def edit(code: str) -> ResponseReturnValue:
    """The form for changes."""
    ctx = context()
    asset = asset_by_code(ctx, code)
    if request.method != "POST":
        return _form_page(None, asset)
    form = load(AssetForm(), request.form)
    if request.form.get("version") != str(asset.version):
        stale = _("Somebody else changed this asset meanwhile. Open it again and repeat yours.")
        return _form_page(Form(None, {"_schema": [stale]}, form.typed), asset), 409
    if form.data:
        # A form leaves nothing out: a field sent empty is one that was emptied.
        emptied = {name: None for name in AssetForm().fields if request.form.get(name) == ""}
        try:
            commands.update_asset(ctx, code=code, **{**emptied, **form.data})
        except Invalid as error:
            form = _refused(form, error)
        else:
            flash(_("The changes are saved."), "success")
            return redirect(url_for("assets.show", code=asset.code), 303)
    return _form_page(form, asset), 422


def _refused(form: Form, error: Invalid) -> Form:
    errors = {name: [str(e) for e in found] for name, found in error.fields.items()}
    return Form(None, errors or {"_schema": [str(error)]}, form.typed)


def _form_page(form: Form | None, asset: Asset | None) -> str:
    ctx = context()
    return render_template(
        "assets/form.html",
        form=form,
        asset=asset,
        shown=values_of(asset) if asset else {},
        categories=[(entry.code, entry.name) for entry in all_categories()],
        departments=departments(ctx),
        locations=locations(ctx),
        availabilities=list(Availability),
        conditions=list(Condition),
    )


@web.get("/scan")
@requires(Permission.ASSET_READ)
def scan() -> ResponseReturnValue:
    """The scanner; a typed text is a code, or the hospital's own number."""
    ctx = context()
    typed = request.args.get("code", "").strip()
    asset = _asset_typed(ctx, typed) if typed else None
    if asset is not None:
        return redirect(url_for("assets.show", code=asset.code), 303)
    page = render_template("assets/scan.html", typed=typed)
    return page, 404 if typed else 200


def _asset_typed(ctx: Context, typed: str) -> Asset | None:
    """Return the asset somebody typed or scanned: by number, by code, or by a label's address."""
    if found := asset_by_number(ctx, typed):
        return found
    try:
        return asset_by_code(ctx, typed.rstrip("/").rpartition("/")[2])
    except NotFound:
        return None
