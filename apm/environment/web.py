"""The sensor wall, for people at a desk and for a screen on a wall."""

from __future__ import annotations

from datetime import datetime

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from apm.alarms.schema import NoteIn
from apm.core.http import context, is_htmx, requires
from apm.core.i18n import _, language
from apm.core.permissions import Permission
from apm.core.typed import own_path, whole_number
from apm.environment import alarm_state
from apm.environment.place_pages import place_pages
from apm.environment.plan_pages import plan_pages
from apm.environment.polling import with_key
from apm.environment.record_pages import record_pages
from apm.environment.report_pages import report_pages
from apm.environment.standing import Standing
from apm.environment.stretches import at
from apm.environment.wall import WallFilter, curves, outside_since, wall
from apm.readings.schema import QUANTITIES

READ = Permission.READING_READ
web = Blueprint("environment", __name__)
web.register_blueprint(place_pages)
web.register_blueprint(plan_pages)
web.register_blueprint(report_pages)
web.register_blueprint(record_pages)


@web.app_template_filter("instant")
def instant(said: float | str) -> datetime:
    """Return seconds since 1970, or what ISO 8601 writes, as an instant."""
    return datetime.fromisoformat(said) if isinstance(said, str) else at(said)


@web.get("/environment")
@requires(READ)
def show_wall() -> ResponseReturnValue:
    """All sensors as cards; asked for by a page that is open, the cards alone, or 304."""
    ctx = context()
    wanted = _wanted()
    is_tv = request.args.get("tv") == "1"
    found = wall(ctx, wanted, page=whole_number(request.args.get("page")) or 1)
    key = f"{found.key}-{language()}"
    if is_htmx() and key in request.headers.get("If-None-Match", ""):
        return with_key(Response(status=304), key)
    points = curves(ctx, found.cards, ctx.now())
    page = render_template(
        "environment/_cards.html" if is_htmx() else "environment/wall.html",
        wall=found,
        key=key,
        wanted=wanted,
        is_tv=is_tv,
        now=ctx.now(),
        points=points,
        since={card.seen.sensor_id: outside_since(points[card.seen.sensor_id], card.limits)
               for card in found.cards},
        quantities=QUANTITIES,
        standings=list(Standing),
        page_url=lambda n: _address(page=n),
        tv_url=_address(tv=None if is_tv else 1, page=None),
        here=_address(),
    )  # fmt: skip
    return with_key(make_response(page), key)


@web.post("/environment/alarms/<int:alarm_id>/acknowledge")
@requires(Permission.ALARM_HANDLE)
def acknowledge(alarm_id: int) -> ResponseReturnValue:
    """Say on the wall that one has seen an alarm."""
    note = request.form.get("note", "").strip()[: NoteIn.LONGEST] or None
    alarm_state.acknowledge(context(), alarm_id=alarm_id, note=note)
    flash(_("The alarm is acknowledged."), "success")
    return redirect(own_path(request.form.get("back"), url_for("environment.show_wall")), 303)


def _wanted() -> WallFilter:
    args = request.args
    standing = args.get("state", "")
    return WallFilter(
        floor=args.get("floor", ""),
        room=args.get("room", ""),
        kind=args.get("kind", ""),
        standing=standing if standing in set(Standing) else "",
    )


def _address(**changed: int | str | None) -> str:
    """Return this page with the same filters, but for what is changed."""
    kept = {k: v for k, v in request.args.items() if k in {"floor", "room", "kind", "state", "tv"}}
    wanted = {k: v for k, v in {**kept, **changed}.items() if v not in {None, ""}}
    return url_for("environment.show_wall", **wanted)  # type: ignore[arg-type]  # by name
