"""The seam between Flask and the use cases: a context in, a page or a problem out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Request, g, request
from marshmallow import Schema, ValidationError
from sqlalchemy.orm import sessionmaker

from apm.core import idempotency, language_choice, problems, web_security
from apm.core import validation as _messages_in_both_languages  # noqa: F401
from apm.core.codes import new_code
from apm.core.command import Actor, Context
from apm.core.db import ApmSession
from apm.core.errors import Stale
from apm.core.i18n import _l
from apm.core.intake import refuse_cut_body
from apm.core.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])
NOBODY = Actor("visitor", 0)
"""Who has not signed in: of no hospital, with no permission."""


def requires(permission: Permission) -> Callable[[View], View]:
    """Say which permission an endpoint needs; goes below the route decorator."""

    def mark(view: View) -> View:
        vars(view)["permission"] = permission
        return view

    return mark


def public(view: View) -> View:
    """Open an endpoint to everybody; it sees no hospital's rows unless it binds one itself."""
    vars(view)["permission"] = None
    return view


def own_token(view: View) -> View:
    """Mark a public endpoint that knows a token of its own: it is no API token of a hospital."""
    vars(view)["own_token"] = True
    return view


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: `data` when valid, else `errors` by field and what was typed."""

    data: dict[str, Any] | None
    errors: dict[str, list[str]]
    typed: Mapping[str, str]


def load(schema: Schema, typed: Mapping[str, str]) -> Form:
    """Validate a submitted HTML form with the schema the JSON API uses.

    A field left empty counts as not given, as HTML cannot leave one out.
    """
    fields = {key: value for key, value in typed.items() if key in schema.fields and value != ""}
    try:
        return Form(schema.load(fields), {}, typed)
    except ValidationError as error:
        errors = {k: [str(e) for e in v] for k, v in error.messages_dict.items()}
        return Form(None, errors, typed)


def context() -> Context:
    """Return the context of this request."""
    found: Context = g.context
    return found


def act_as(actor: Actor) -> Context:
    """Go on as `actor` (a visitor of the hospital a label belongs to)."""
    g.context = Context(g.context.session, actor, request_id=g.context.request_id)
    return context()


def is_htmx() -> bool:
    """Tell whether HTMX asks for a piece of the page rather than the page."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def check_version(current: int) -> None:
    """Refuse (412) when `If-Match` names another version than `current`."""
    wanted = request.headers.get("If-Match")
    if wanted and wanted != "*" and wanted.strip().removeprefix("W/").strip('"') != str(current):
        raise Stale(_l("Somebody else changed this first. Reload and try again."))


def install(
    app: Flask, sessions: sessionmaker[ApmSession], identify: Callable[[Request, Context], Actor]
) -> None:
    """Give each request a context, and each refusal one of two faces: JSON or HTML."""

    @app.before_request
    def _open() -> None:
        g.context = Context(sessions(), NOBODY, request_id=new_code())
        web_security.refuse_foreign_origin(request)
        view = app.view_functions.get(request.endpoint or "static")
        if "own_token" not in vars(view):
            act_as(identify(request, g.context))
        language_choice.choose_language(request, g.context.actor)
        if request.endpoint is None or request.endpoint == "static":
            return
        # An endpoint that names no permission raises KeyError: we fail closed.
        needed = vars(view)["permission"]
        if needed is not None:
            if g.context.actor.user_id is None and g.context.actor == NOBODY:
                problems.ask_to_sign_in()
            g.context.actor.require(needed)
        refuse_cut_body(request)

    @app.teardown_request
    def _close(_error: BaseException | None) -> None:
        if "context" in g:
            g.context.session.close()

    app.after_request(web_security.add_headers)
    app.after_request(language_choice.remember_language)
    problems.install(app)
    idempotency.install(app, context)


def open_to_all(app: Flask, *endpoints: str) -> None:
    """Let everybody load what a library serves: styles and scripts, the API's description."""
    for endpoint in endpoints:
        vars(app.view_functions[endpoint])["permission"] = None
