"""What lets a phone go on without a network: the service worker, the page for it, the manifest."""

from __future__ import annotations

import hashlib
import json
from functools import cache

from flask import Blueprint, Response, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from apm.core.http import NOBODY, context, public
from apm.core.i18n import _
from apm.core.settings import ROOT
from apm.work.lifecycle import is_assignee
from apm.work.model import WorkOrder
from apm.work.page import KEEP
from apm.work.states import OPEN_WORK

STATIC = ROOT / "static"
KEPT = ("*.css", "*.svg", "js/*.js", "vendor/htmx.min.js", "vendor/signature_pad.min.js")
"""What every page of staff is made of; the rest is fetched when there is a network."""

shell_pages = Blueprint("shell", __name__)


@shell_pages.get("/sw.js")
@public
def service_worker() -> ResponseReturnValue:
    """The service worker, told what to keep; it changes whenever one of these files does."""
    return Response(
        _service_worker(), mimetype="text/javascript", headers={"Cache-Control": "no-cache"}
    )


@cache
def _service_worker() -> str:
    files = sorted(path for pattern in KEPT for path in STATIC.glob(pattern))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    kept = [f"/static/{path.relative_to(STATIC).as_posix()}" for path in files]
    version = digest.hexdigest()[:12]
    head = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(kept)};\n"
    return head + (STATIC / "js" / "sw.js").read_text(encoding="utf-8")


@shell_pages.get("/offline")
@public
def offline() -> ResponseReturnValue:
    """What stands in place of a page that is not on this phone."""
    return render_template("work/offline.html")


@shell_pages.get("/manifest.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    """What a phone needs to put apm on its home screen."""
    answer = jsonify(
        name=_("apm: hospital equipment"),
        short_name="apm",
        start_url="/",
        scope="/",
        display="standalone",
        background_color="#ffffff",
        theme_color="#0a6270",
        icons=[
            {"src": "/static/app-icon.svg", "sizes": "any", "type": "image/svg+xml"},
            {
                "src": "/static/app-icon.svg",
                "sizes": "any",
                "type": "image/svg+xml",
                "purpose": "maskable",
            },
        ],
    )
    answer.mimetype = "application/manifest+json"
    return answer


@shell_pages.after_app_request
def say_whose_page(response: Response) -> Response:
    """Tell the service worker whose page this is, and whether to keep it for later.

    It keeps nobody's pages for somebody else, and none when nobody is signed in.
    """
    if response.mimetype == "text/html":
        response.headers["Apm-User"] = page_owner()
        if response.status_code == 200 and (g.get(KEEP) or request.endpoint == "today.today"):
            response.headers["Apm-Keep"] = "yes"
    return response


@shell_pages.app_context_processor
def _words() -> dict[str, object]:
    return {"page_owner": page_owner}


@shell_pages.app_template_global("is_mine")
def _is_mine(order: WorkOrder) -> bool:
    """Tell templates, macros too, whether an order is open and given to who looks."""
    return order.state in OPEN_WORK and is_assignee(context().actor, order)


def page_owner() -> str:
    """Return a name for the signed-in person that says nothing; empty for nobody."""
    actor = context().actor if "context" in g else NOBODY
    if actor.user_id is None:
        return ""
    return hashlib.sha256(f"{actor.hospital_id}:{actor.user_id}".encode()).hexdigest()[:16]
