"""Taking a step of a request, and telling everybody who follows it."""

from __future__ import annotations

from sqlalchemy import select

from apm.core.command import Context
from apm.requests.events import RequestMoved
from apm.requests.lifecycle import REQUEST
from apm.requests.loading import request_to_change
from apm.requests.model import Request


def take_step(ctx: Context, no: str, action: str, version: int | None) -> Request:
    """Take hold of a request for a step that is possible now; errors as `request_to_change`."""
    request = request_to_change(ctx, no, version)
    REQUEST.take(action, request.state, ctx.actor, request)
    return request


def announce(ctx: Context, request: Request, action: str) -> None:
    """Say that a request went on: to its reporter, and to those whose reports it answers too."""
    ctx.session.flush()
    state = request.state.value
    ctx.emit(RequestMoved(request.id, request.no, action, state, request.reporter_id))
    query = select(Request).where(Request.duplicate_of_id == request.id).order_by(Request.id)
    for twin in ctx.session.scalars(query):
        ctx.emit(RequestMoved(twin.id, twin.no, action, state, twin.reporter_id))
