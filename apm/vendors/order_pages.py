"""What the hospital sees and does about vendors on one work order: links, visits, their papers."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import zone_of
from apm.assets.qr import svg_of
from apm.core.command import Context
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.guessing import form_key, token_for
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l, choose
from apm.core.permissions import Permission
from apm.vendors.link_pages import file_answer
from apm.vendors.link_schema import LinkForm, VisitForm
from apm.vendors.links import (
    DAYS,
    KIND,
    MOST_DAYS,
    OFFERED,
    Company,
    create_link,
    links_of,
    opens,
    revoke_link,
)
from apm.vendors.queries import active_vendors
from apm.vendors.visits import Visited, file_of, notes_of, record_visit, visits_of
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from apm.work.sections import Panel, beside

order_pages = Blueprint("order", __name__)
QR_SIDE = 240
"""Pixels."""


@beside(order=40, permission=Permission.WORK_READ)
def vendor_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """Who of outside may work on the order, who was here, and what they handed in."""
    links = [link for link in links_of(ctx, order) if opens(link, order, ctx.now())]
    visits, notes = visits_of(ctx, order), notes_of(ctx, order)
    may_invite = order.state in OFFERED and ctx.actor.can(Permission.WORK_ASSIGN)
    if not (links or visits or notes or may_invite or order.performed_by):
        return None
    return Panel(
        _l("Vendor"),
        "users",
        "vendors/_order_section.html",
        {"links": links, "visits": visits, "notes": notes, "order": order},
        url=f"/work-orders/{order.no}/vendor",
        more=_l("Links and visits"),
    )


@order_pages.get("/work-orders/<no>/vendor")
@requires(Permission.WORK_READ)
def show(no: str) -> ResponseReturnValue:
    """The links to one order and the visits for it."""
    return _page(no)


@order_pages.post("/work-orders/<no>/vendor-links")
@requires(Permission.WORK_ASSIGN)
def create(no: str) -> ResponseReturnValue:
    """Make a link; this answer alone tells it."""
    form = load(LinkForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    ctx, said, key = context(), form.data, form_key()
    token = token_for(KIND, ctx.actor.hospital_id, key)
    company = Company(said["vendor"], said["company"], said["phone"])
    try:
        link = create_link(
            ctx, no=no, company=company, token=token, client_key=key, days=said["days"]
        )
    except (Invalid, Conflict) as error:
        return _refused(no, error)
    url = f"{current_app.config['APM_SETTINGS'].base_url}/v/{token}"
    return render_template(
        "vendors/link_made.html", link=link, no=no, url=url, picture=_sized(svg_of(url))
    )


@order_pages.post("/work-orders/<no>/vendor-links/<int:link_id>/revoke")
@requires(Permission.WORK_ASSIGN)
def revoke(no: str, link_id: int) -> ResponseReturnValue:
    """End a link."""
    revoke_link(context(), no=no, link_id=link_id)
    flash(_("The link is ended."), "success")
    return redirect(url_for("vendors.order.show", no=no), 303)


@order_pages.post("/work-orders/<no>/visits")
@requires(Permission.WORK_READ)
def record(no: str) -> ResponseReturnValue:
    """Write down a visit."""
    form = load(VisitForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    ctx, said = context(), form.data
    visited = Visited(
        Company(said["vendor"], said["company"], said["phone"]),
        said["person"],
        _instant(ctx, said["arrived_at"]),
        _instant(ctx, said["left_at"]) if said["left_at"] else None,
        said["done"],
    )
    try:
        record_visit(ctx, no=no, visited=visited, client_key=form_key())
    except Invalid as error:
        return _refused(no, error)
    flash(_("The visit is recorded."), "success")
    return redirect(url_for("vendors.order.show", no=no, _anchor="visits"), 303)


@order_pages.get("/work-orders/<no>/vendor-files/<int:file_id>")
@requires(Permission.WORK_READ)
def file(no: str, file_id: int) -> ResponseReturnValue:
    """A file that a vendor handed in."""
    ctx = context()
    return file_answer(*file_of(ctx, work_order(ctx, no), file_id))


def _sized(svg: str) -> str:
    return svg.replace("<svg ", f'<svg width="{QR_SIDE}" height="{QR_SIDE}" ', 1)


def _instant(ctx: Context, typed: datetime) -> datetime:
    """Return the instant a clock in the hospital shows so."""
    return typed.replace(tzinfo=ZoneInfo(zone_of(ctx)))


def _refused(no: str, error: DomainError) -> ResponseReturnValue:
    fields = error.fields if isinstance(error, Invalid) else {}
    spoken = {name: [str(text) for text in texts] for name, texts in fields.items()}
    return _page(no, Form(None, spoken or {"_schema": [str(error)]}, request.form), error.status)


def _page(no: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    order = work_order(ctx, no)
    page = render_template(
        "vendors/links.html",
        order=order,
        links=links_of(ctx, order),
        opens=lambda link: opens(link, order, ctx.now()),
        visits=visits_of(ctx, order),
        vendors=[(v.id, choose(v.name, v.name_zh)) for v in active_vendors(ctx)],
        is_offered=order.state in OFFERED,
        days=DAYS,
        most_days=MOST_DAYS,
        form=form,
    )
    return page, status
