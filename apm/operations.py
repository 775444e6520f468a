"""Endpoints for operators: does the process live, is it ready, what does it count."""

from __future__ import annotations

from hmac import compare_digest

from flask import Blueprint, Response, current_app, render_template, request
from sqlalchemy import func, select

from apm import database
from apm.core.clock import utc_now
from apm.core.errors import NotFound
from apm.core.events import Outbox
from apm.core.http import context, own_token, public
from apm.core.i18n import _l
from apm.core.intake import LOOPBACK
from apm.readings.model import Inbox
from apm.worker.model import Lease

web = Blueprint("operations", __name__)


@web.get("/healthz")
@public
def healthz() -> Response:
    """The process lives."""
    return Response("ok\n", mimetype="text/plain")


@web.get("/readyz")
@public
def readyz() -> Response:
    """The database answers and its schema is current."""
    engine = context().session.get_bind()
    ready = database.is_current(engine)
    text = "ready\n" if ready else "migrations are missing: run apm db upgrade\n"
    return Response(text, status=200 if ready else 503, mimetype="text/plain")


@web.get("/metrics")
@public
@own_token
def metrics() -> Response:
    """A few counts in Prometheus' text format; from this machine, or with the token."""
    token = current_app.config["APM_SETTINGS"].metrics_token
    given = request.headers.get("Authorization", "")
    has_token = token and compare_digest(given.encode(), f"Bearer {token}".encode())
    if request.remote_addr not in LOOPBACK and not has_token:
        raise NotFound(_l("There is no such page. Check the address."))
    session = context().session
    waiting = session.scalar(select(func.count(Outbox.id)).where(Outbox.due_at.is_not(None)))
    leading = session.scalar(select(func.count(Lease.id)).where(Lease.until > utc_now()))
    unmerged = session.scalar(select(func.sum(Inbox.n)))
    lines = [
        "# HELP apm_outbox_waiting Events not yet delivered.",
        "# TYPE apm_outbox_waiting gauge",
        f"apm_outbox_waiting {waiting}",
        "# HELP apm_worker_leading Workers that lead (1 is right).",
        "# TYPE apm_worker_leading gauge",
        f"apm_worker_leading {leading}",
        "# HELP apm_readings_waiting Readings taken in and not yet merged into day blocks.",
        "# TYPE apm_readings_waiting gauge",
        f"apm_readings_waiting {unmerged or 0}",
    ]
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")


@web.get("/api/v1/docs")
@public
def api_docs() -> str:
    """The API in words, from the same description programs read."""
    known = current_app.extensions["flask-smorest"]["apis"].values()
    spec = next(iter(known))["ext_obj"].description()
    calls = [
        (path, method.upper(), call)
        for path, methods in sorted(spec["paths"].items())
        for method, call in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    schemas = spec.get("components", {}).get("schemas", {})
    return render_template("operations/api_docs.html", calls=calls, schemas=schemas)
