"""The pages of connections: the list, one with its live values, and its form."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue

from apm.collecting import commands, queries
from apm.collecting.certificates import as_file, fingerprint_of
from apm.collecting.entries import CONNECTION, said
from apm.collecting.failures import LineFailed, fingerprint_shown, problem_text
from apm.collecting.filling import connection_filled, details_of
from apm.collecting.lines.base import Sample
from apm.collecting.model import Connection, Protocol
from apm.collecting.point_pages import point_pages
from apm.collecting.schema import ConnectionForm
from apm.collecting.strays import stray_text
from apm.collecting.trying import tried
from apm.collecting.values import NoValue, instant_of
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, is_htmx, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.labels import label

web = Blueprint("connections", __name__)
web.register_blueprint(point_pages)
EDIT = Permission.SENSOR_EDIT


@web.get("/connections")
@requires(EDIT)
def connections() -> ResponseReturnValue:
    """All connections and how they fare."""
    ctx = context()
    page = queries.connections_page(ctx, after=request.args.get("after"), limit=50)
    now = ctx.now()
    return render_template(
        "collecting/connections.html",
        page=page,
        points=queries.counts_of_points(ctx, [one.id for one in page.items]),
        standing={one.id: queries.standing(one, now) for one in page.items},
        is_skewed=queries.is_skewed,
        said=said,
        protocols=list(Protocol),
    )


@web.route("/connections/new", methods=["GET", "POST"])
@requires(EDIT)
def new_connection() -> ResponseReturnValue:
    """A connection to add."""
    protocol = request.values.get("protocol", "")
    if protocol not in set(Protocol):
        return redirect(url_for("connections.connections"), 303)
    return _edit(Protocol(protocol), None)


@web.get("/connections/<int:connection_id>")
@requires(EDIT)
def connection(connection_id: int) -> ResponseReturnValue:
    """One connection: state, values as they come, points."""
    return _show(connection_id)


def _show(
    connection_id: int, *, samples: list[Sample] | None = None, failure: str | None = None
) -> str:
    ctx = context()
    found = queries.connection_by_id(ctx, connection_id)
    template = "collecting/_live.html" if is_htmx() else "collecting/connection.html"
    return render_template(
        template,
        connection=found,
        link=found.link,
        standing=queries.standing(found, ctx.now()),
        skewed=queries.is_skewed(found),
        problem_text=problem_text,
        stray_text=stray_text,
        instant=_instant,
        said=said,
        samples=samples,
        failure=failure,
        shown=None if samples else fingerprint_shown(failure, found.link.error),
        certificate=found.config.get("certificate"),
        fingerprint_of=fingerprint_of,
    )


def _instant(text: object) -> datetime | None:
    """Return a time as a device gave it; None for what is none."""
    try:
        return instant_of(text)
    except NoValue:
        return None


@web.route("/connections/<int:connection_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit_connection(connection_id: int) -> ResponseReturnValue:
    """A connection to change; its secret is never shown again."""
    found = queries.connection_by_id(context(), connection_id)
    return _edit(found.protocol, found)


def _edit(protocol: Protocol, found: Connection | None) -> ResponseReturnValue:
    if request.method != "POST":
        return _form(protocol, found, None)
    form = load(ConnectionForm(), request.form)
    filled = connection_filled(protocol, request.form, found)
    errors = {**form.errors, **{n: [str(e) for e in es] for n, es in filled.errors.items()}}
    if errors or form.data is None:
        return _form(protocol, found, Form(None, errors, request.form)), 422
    key = current_app.config["APM_SETTINGS"].secret_key
    details = details_of(key, form.data, filled, found)
    try:
        kept = _save(protocol, found, details)
    except Invalid as error:
        texts = {name: [str(text) for text in each] for name, each in error.fields.items()}
        return _form(protocol, found, Form(None, texts, request.form)), 422
    return redirect(url_for("connections.connection", connection_id=kept.id), 303)


def _save(protocol: Protocol, found: Connection | None, details: commands.Details) -> Connection:
    if found is None:
        made = commands.add_connection(context(), protocol=protocol, details=details)
        flash(_("The connection is added. Add its points, then test it."), "success")
        return made
    kept = commands.edit_connection(context(), connection_id=found.id, details=details)
    flash(_("Saved. The collector follows within seconds."), "success")
    return kept


def _form(protocol: Protocol, found: Connection | None, form: Form | None) -> str:
    return render_template(
        "collecting/form.html",
        protocol=protocol,
        connection=found,
        form=form,
        entries=CONNECTION[protocol],
        options=_options,
    )


def _options(entry: Any) -> list[tuple[str, str]]:
    return [(one, label(f"device_{entry.name}", one)) for one in entry.options]


@web.post("/connections/<int:connection_id>/test")
@requires(EDIT)
def test_connection(connection_id: int) -> ResponseReturnValue:
    """Try it, and show on its page what it says."""
    key = current_app.config["APM_SETTINGS"].secret_key
    try:
        samples = tried(context(), connection_id=connection_id, key=key)
    except LineFailed as failure:
        return _show(connection_id, failure=failure.stored)
    return _show(connection_id, samples=samples)


@web.get("/connections/<int:connection_id>/certificate")
@requires(EDIT)
def certificate(connection_id: int) -> ResponseReturnValue:
    """Our certificate as a file, to be accepted at the device."""
    found = queries.connection_by_id(context(), connection_id)
    if "certificate" not in found.config:
        raise NotFound(_("This connection is not encrypted."))
    return send_file(
        BytesIO(as_file(found.config["certificate"])),
        mimetype="application/pkix-cert",
        as_attachment=True,
        download_name=f"apm-{connection_id}.der",
    )


@web.post("/connections/<int:connection_id>/accept")
@requires(EDIT)
def accept_certificate(connection_id: int) -> ResponseReturnValue:
    """Accept the certificate that the device has shown."""
    fingerprint = request.form.get("fingerprint", "")
    commands.accept_certificate(context(), connection_id=connection_id, fingerprint=fingerprint)
    flash(_("The device's certificate is accepted. Test the connection again."), "success")
    return redirect(url_for("connections.connection", connection_id=connection_id), 303)


@web.post("/connections/<int:connection_id>/switch")
@requires(EDIT)
def switch_connection(connection_id: int) -> ResponseReturnValue:
    """Switch it on or off."""
    is_enabled = request.form.get("on") == "yes"
    commands.switch_connection(context(), connection_id=connection_id, is_enabled=is_enabled)
    flash(_("The connection is on.") if is_enabled else _("The connection is off."), "success")
    return redirect(url_for("connections.connection", connection_id=connection_id), 303)


@web.post("/connections/<int:connection_id>/remove")
@requires(EDIT)
def remove_connection(connection_id: int) -> ResponseReturnValue:
    """Remove it; sensors and readings stay."""
    commands.remove_connection(context(), connection_id=connection_id)
    flash(_("The connection is removed. Its sensors and their readings stay."), "success")
    return redirect(url_for("connections.connections"), 303)
