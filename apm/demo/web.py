"""The demo's own pages: the tour, and signing in with one click.  No other server has them."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.identity import COOKIE
from apm.accounts.queries import hospitals, visitor
from apm.core.errors import NotFound
from apm.core.http import act_as, context, public
from apm.core.i18n import _l
from apm.demo.commands import LASTS, sign_in_as
from apm.demo.desk import Desk
from apm.demo.queries import ailing_asset, progress

web = Blueprint("demo", __name__)


def desk() -> Desk:
    """Return what `apm demo` gave this application; without it there is no demo."""
    found = current_app.config.get("APM_DEMO")
    if not isinstance(found, Desk):
        raise NotFound(_l("This server runs no demo. Start one with: apm demo"))
    return found


@web.get("/tour")
@public
def tour() -> ResponseReturnValue:
    """Five steps through the program, with ticks for those taken."""
    known = desk()
    if context().actor.user_id is None:
        [hospital] = [one for one in hospitals(context().session) if one.is_demo]
        act_as(visitor(hospital.id))
    ctx = context()
    return render_template(
        "demo/tour.html",
        done=progress(ctx, since=known.built_at),
        asset=ailing_asset(ctx),
        people={login.role: login for login in known.logins},
    )


@web.post("/demo/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in as one of the demo's people."""
    desk()
    token = sign_in_as(
        context(), email=request.form.get("email", ""), browser=request.user_agent.string
    )
    answer = redirect(_own_path(request.form.get("next")), 303)
    answer.set_cookie(
        COOKIE, token, max_age=int(LASTS.total_seconds()), httponly=True, samesite="Lax"
    )
    return answer


def _own_path(target: str | None) -> str:
    """Return the page to go on with: one of the tour's, or the tour itself."""
    known = {"/", "/requests", "/work-orders", "/alarms", "/analytics", "/assets"}
    return target if target in known else url_for("demo.tour")
