"""The page of a work order's parts: scan, hand out, promise, bring back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.command import Context
from apm.core.errors import Conflict, DomainError, Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.parts import issuing, queries
from apm.parts.forms import IssueForm, ReturnForm, refused
from apm.parts.model import Part
from apm.parts.sections import parts_of
from apm.parts.stock import usable_stock
from apm.work.queries import work_order

ISSUE = Permission.PART_ISSUE
pages = Blueprint("work", __name__)


@pages.get("/work-orders/<no>/parts")
@requires(Permission.PART_READ)
def parts(no: str) -> ResponseReturnValue:
    """A work order's parts; `code` is what was scanned or typed."""
    return _page(no, code=request.args.get("code", "").strip())


def _page(
    no: str, *, code: str = "", form: Form | None = None, status: int = 200
) -> ResponseReturnValue:
    ctx = context()
    order = work_order(ctx, no)
    part, is_unknown = None, False
    if code:
        try:
            part = queries.part_by_code(ctx, code)
        except NotFound:
            is_unknown, status = True, 404 if status == 200 else status
    page = render_template(
        "parts/work.html",
        order=order,
        held=parts_of(ctx, order),
        part=part,
        standing=queries.standings(ctx, [part.id])[part.id] if part else None,
        usable=_usable(ctx, part),
        fitting=queries.parts_for(ctx, order.asset) if order.asset else [],
        code=code,
        is_unknown=is_unknown,
        form=form,
    )
    return page, status


def _usable(ctx: Context, part: Part | None) -> list[tuple[str, object, int]]:
    """Return the lots that may be issued, in the order of use: code, expiry, thousandths."""
    lots: dict[str, tuple[object, int]] = {}
    for row in usable_stock(ctx, part) if part else []:
        _expiry, before = lots.get(row.lot.code, (None, 0))
        lots[row.lot.code] = (row.lot.expires_on, before + row.on_hand_milli)
    return [(code, expiry, milli) for code, (expiry, milli) in lots.items()]


@pages.post("/work-orders/<no>/parts")
@requires(ISSUE)
def take(no: str) -> ResponseReturnValue:
    """Hand out or promise a part."""
    ctx = context()
    form = load(IssueForm(), request.form)
    code = request.form.get("code", "").strip()[:120]
    if form.data is None:
        return _page(no, code=code, form=form, status=422)
    said = form.data
    try:
        part = queries.part_by_code(ctx, said["code"])
        if said["do"] == "reserve":
            issuing.reserve(ctx, no=no, part_id=part.id, quantity=said["quantity"])
        else:
            issuing.issue(
                ctx, no=no, part_id=part.id, quantity=said["quantity"], lot=said.get("lot")
            )
    except (Invalid, Conflict, NotFound) as error:
        return _refused(no, code, error)
    said_so = _("Reserved.") if said["do"] == "reserve" else _("Issued.")
    flash(said_so, "success")
    return redirect(url_for("parts.work.parts", no=no), 303)


def _refused(no: str, code: str, error: DomainError) -> ResponseReturnValue:
    return _page(no, code=code, form=refused(error, request.form), status=error.status)


@pages.post("/work-orders/<no>/parts/return")
@requires(ISSUE)
def give_back(no: str) -> ResponseReturnValue:
    """Bring parts back."""
    form = load(ReturnForm(), request.form)
    if form.data is None:
        return _page(no, form=form, status=422)
    try:
        issuing.give_back(
            context(), no=no, move_id=form.data["move"], quantity=form.data["quantity"]
        )
    except (Invalid, Conflict) as error:
        return _refused(no, "", error)
    flash(_("Back in stock; its cost is taken off."), "success")
    return redirect(url_for("parts.work.parts", no=no), 303)


@pages.post("/work-orders/<no>/parts/release")
@requires(ISSUE)
def release(no: str) -> ResponseReturnValue:
    """Give up a reservation."""
    reservation_id = whole_number(request.form.get("reservation")) or 0
    issuing.release(context(), no=no, reservation_id=reservation_id)
    flash(_("Given up: it is free again."), "success")
    return redirect(url_for("parts.work.parts", no=no), 303)
