"""The log of one device: its lines, and a file of more."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.queries import asset_by_code
from apm.attribution.log import add_events, events_page, read_file
from apm.core.errors import Invalid
from apm.core.http import Form, context, requires
from apm.core.i18n import ngettext
from apm.core.permissions import Permission

log_pages = Blueprint("log", __name__)
LONGEST_NAME = 80


@log_pages.get("/assets/<code>/log")
@requires(Permission.READING_READ)
def show(code: str) -> ResponseReturnValue:
    """The lines a device wrote of itself, the newest first."""
    return _page(code)


@log_pages.post("/assets/<code>/log")
@requires(Permission.READING_SEND)
def add(code: str) -> ResponseReturnValue:
    """Add the lines of a file; lines may be of any equipment of the hospital."""
    asset = asset_by_code(context(), code)
    sent = request.files.get("file")
    try:
        lines = read_file(sent.read() if sent else b"")
        name = (sent.filename if sent else "") or ""
        done = add_events(context(), lines=lines, source=name[:LONGEST_NAME])
    except Invalid as error:
        fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
        texts = [text for some in fields.values() for text in some]
        return _page(asset.code, Form(None, {"file": texts}, request.form), error.status)
    flash(ngettext("%(n)s line is added.", "%(n)s lines are added.", done.stored), "success")
    return redirect(url_for("attribution.log.show", code=asset.code), 303)


def _page(code: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    asset = asset_by_code(ctx, code)
    page = events_page(ctx, asset, after=request.args.get("after"))
    return render_template("attribution/log.html", asset=asset, page=page, form=form), status
