"""The form of a point."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.collecting import commands, queries
from apm.collecting.entries import POINT
from apm.collecting.filling import point_details, point_filled
from apm.collecting.model import Connection, Point
from apm.collecting.schema import PointForm
from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.labels import LABELS, label

point_pages = Blueprint("points", __name__)
EDIT = Permission.SENSOR_EDIT


@point_pages.route("/connections/<int:connection_id>/points/new", methods=["GET", "POST"])
@requires(EDIT)
def new_point(connection_id: int) -> ResponseReturnValue:
    """A point to add."""
    return _edit(queries.connection_by_id(context(), connection_id), None)


@point_pages.route(
    "/connections/<int:connection_id>/points/<int:point_id>", methods=["GET", "POST"]
)
@requires(EDIT)
def point(connection_id: int, point_id: int) -> ResponseReturnValue:
    """A point to change."""
    ctx = context()
    connection = queries.connection_by_id(ctx, connection_id)
    return _edit(connection, queries.point_by_id(ctx, connection_id, point_id))


def _edit(connection: Connection, found: Point | None) -> ResponseReturnValue:
    if request.method != "POST":
        return _form(connection, found, None)
    form = load(PointForm(), request.form)
    filled = point_filled(connection.protocol, request.form)
    errors = {**form.errors, **{n: [str(e) for e in es] for n, es in filled.errors.items()}}
    if errors or form.data is None:
        return _form(connection, found, Form(None, errors, request.form)), 422
    details = point_details(form.data, filled)
    try:
        _save(connection.id, found, details)
    except Invalid as error:
        texts = {name: [str(text) for text in each] for name, each in error.fields.items()}
        return _form(connection, found, Form(None, texts, request.form)), 422
    flash(_("The point is saved. The collector follows within seconds."), "success")
    return redirect(url_for("connections.connection", connection_id=connection.id), 303)


def _save(connection_id: int, found: Point | None, details: commands.PointDetails) -> None:
    ctx = context()
    if found is None:
        commands.add_point(ctx, connection_id=connection_id, details=details)
    else:
        commands.edit_point(ctx, connection_id=connection_id, point_id=found.id, details=details)


def _form(connection: Connection, found: Point | None, form: Form | None) -> str:
    return render_template(
        "collecting/point.html",
        connection=connection,
        point=found,
        form=form,
        entries=POINT[connection.protocol],
        options=_options,
        sensors=queries.sensors_to_choose(context()),
    )


def _options(entry: Any) -> list[tuple[str, str]]:
    kind = f"device_{entry.name}"
    return [(one, label(kind, one) if kind in LABELS else one) for one in entry.options]


@point_pages.post("/connections/<int:connection_id>/points/<int:point_id>/remove")
@requires(EDIT)
def remove_point(connection_id: int, point_id: int) -> ResponseReturnValue:
    """Remove a point; the sensor and its readings stay."""
    commands.remove_point(context(), connection_id=connection_id, point_id=point_id)
    flash(_("The point is removed. The sensor and its readings stay."), "success")
    return redirect(url_for("connections.connection", connection_id=connection_id), 303)
