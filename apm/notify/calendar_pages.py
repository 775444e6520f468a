"""The calendar's secret address, and the buttons that make and end it."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import own_hospital, visitor
from apm.core.errors import NotFound
from apm.core.guessing import count_miss
from apm.core.http import act_as, context, public, requires
from apm.core.i18n import _, _l, choose, speaking
from apm.core.permissions import Permission
from apm.notify import calendar

calendar_pages = Blueprint("calendar", __name__)


@calendar_pages.get("/calendar/<token>.ics")
@public
def feed(token: str) -> ResponseReturnValue:
    """One person's work; the address is the key."""
    ctx = context()
    found = calendar.feed_of(ctx, token)
    if found is None:
        count_miss(ctx)
        raise NotFound(_l("There is no such calendar. Copy its address again from your account."))
    ctx = act_as(visitor(found.hospital_id))
    settings = current_app.config["APM_SETTINGS"]
    hospital = own_hospital(ctx)
    orders = calendar.orders_of(ctx, found.user.id)
    with speaking(found.user.language or settings.language):
        place = choose(hospital.name, hospital.name_zh) if hospital else ""
        name = _("Work at %(hospital)s", hospital=place)
        body = calendar.calendar_of(orders, name=name, base_url=settings.base_url)
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
    return answer.make_conditional(request)


@calendar_pages.post("/account/calendar")
@requires(Permission.ACCOUNT_OWN)
def rotate() -> ResponseReturnValue:
    """Make a new address and show it, once."""
    token = calendar.rotate(context())
    base = current_app.config["APM_SETTINGS"].base_url
    address = base + url_for("notify.calendar.feed", token=token)
    return render_template("notify/calendar.html", address=address)


@calendar_pages.post("/account/calendar/end")
@requires(Permission.ACCOUNT_OWN)
def end() -> ResponseReturnValue:
    """End the address."""
    calendar.end(context())
    return redirect(url_for("notify.rules.rules"), 303)
