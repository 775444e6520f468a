"""`Idempotency-Key`: the same POST sent again is answered again, and done once.

The answer is stored in the transaction of the change itself.  A crash therefore leaves both or
neither, and a client that never saw the answer may safely repeat.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, make_response, request
from sqlalchemy import UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped

from apm.core import limits
from apm.core.command import Context
from apm.core.db import Row
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.i18n import _l

HEADER = "Idempotency-Key"


class KeptAnswer(Row):
    """What a keyed POST was answered."""

    __tablename__ = "kept_answer"
    __table_args__ = (UniqueConstraint("owner", "key"),)

    owner: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    content_type: Mapped[str]
    at: Mapped[datetime]


def install(app: Flask, context: Callable[[], Context]) -> None:
    """Wrap every API endpoint that takes a POST."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and "POST" in (rule.methods or ()):
            view = app.view_functions[rule.endpoint]
            app.view_functions[rule.endpoint] = _once(view, context)


def _once(view: Callable[..., Any], context: Callable[[], Context]) -> Callable[..., Any]:
    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST":
            return view(*args, **kwargs)
        if not 1 <= len(key) <= 200:
            raise Invalid(_l("Idempotency-Key must have 1 to 200 characters."))
        ctx = context()
        owner = f"{ctx.actor.hospital_id}:{ctx.actor.name}"
        asked = f"{request.method} {request.path}\n".encode() + request.get_data()
        # Keyed: a body may hold a password, which a plain digest would give away to guessing.
        secret = str(current_app.config["SECRET_KEY"]).encode()
        digest = hmac.new(secret, asked, hashlib.sha256).hexdigest()
        try:
            with ctx.writing("api.once"):
                if kept := _kept(ctx, owner, key):
                    return _again(kept, digest)
                row = KeptAnswer(
                    owner=owner, key=key, request_hash=digest, at=ctx.now(),
                    status=0, body="", content_type="",
                )  # fmt: skip
                ctx.session.add(row)
                ctx.session.flush()  # takes the key: a second sender waits here
                response = make_response(view(*args, **kwargs))
                row.status, row.body = response.status_code, response.get_data(as_text=True)
                row.content_type = response.content_type
                return response
        except IntegrityError:
            if kept := _kept(ctx, owner, key):
                return _again(kept, digest)
            raise
        except DomainError:
            limits.count_again(ctx)  # a wrong password is a try, whatever key came with it
            raise

    return run


def _kept(ctx: Context, owner: str, key: str) -> KeptAnswer | None:
    query = select(KeptAnswer).where(KeptAnswer.owner == owner, KeptAnswer.key == key)
    return ctx.session.scalar(query)


def _again(kept: KeptAnswer, digest: str) -> Response:
    if kept.request_hash != digest:
        raise Conflict(
            _l("This Idempotency-Key was used for another request. Use a new key."),
            code="key_reused",
        )
    answer = Response(kept.body, status=kept.status, content_type=kept.content_type)
    answer.headers["Idempotent-Replay"] = "true"
    return answer
