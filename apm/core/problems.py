"""Refusals and their two faces: problem JSON under `/api/`, a page elsewhere."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import Any, NoReturn

from flask import Flask, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from apm.core.errors import Conflict, DomainError, NotSignedIn
from apm.core.i18n import _l

log = logging.getLogger(__name__)
SQLITE_FULL, POSTGRES_FULL = sqlite3.SQLITE_FULL, "53100"

HTTP_TEXTS: dict[int, Any] = {
    400: _l("The request could not be understood. Go back and try again."),
    404: _l("There is no such page. Check the address, or start from the first page."),
    405: _l("That cannot be done here. Go back and try again."),
    413: _l("The file is too large. Send a smaller one."),
    415: _l("This kind of content is not accepted here."),
    422: _l("Some values do not fit. Correct them and send again."),
    500: _l("Something went wrong on our side. Your data is safe; try again, then tell support."),
    507: _l("The server's disk is full. Nothing was stored; make room there, then send again."),
}


def is_api() -> bool:
    """Tell whether a program asks, not a person."""
    return request.path.startswith("/api/")


def ask_to_sign_in() -> NoReturn:
    """Refuse somebody unknown: a program gets 401, a person the sign-in page."""
    raise NotSignedIn(_l("Sign in to go on."))


def install(app: Flask) -> None:
    """Register the answers; call it after other libraries have registered theirs."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(StaleDataError, _overtaken)
    app.register_error_handler(IntegrityError, _overtaken)
    app.register_error_handler(DBAPIError, _no_database)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def _refused(error: DomainError) -> ResponseReturnValue:
    if isinstance(error, NotSignedIn) and not is_api() and request.method == "GET":
        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")), 303)
    return problem(error.status, error.code, str(error), error.fields)


def _overtaken(error: Exception) -> ResponseReturnValue:
    log.info("overtaken: %s %s", type(error).__name__, error.args[:1])
    return _refused(Conflict(_l("Somebody else changed this first. Reload and try again.")))


def _no_database(error: DBAPIError) -> ResponseReturnValue:
    if not is_full(error):
        return _bug(error)
    log.error("the disk of the database is full: %s", request.path)
    return problem(507, "storage_full", str(HTTP_TEXTS[507]), {})


def is_full(error: DBAPIError) -> bool:
    """Tell whether a database refused to write because there is no room."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code == SQLITE_FULL or getattr(error.orig, "sqlstate", None) == POSTGRES_FULL


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:  # a redirect
        return error.get_response()
    data = getattr(error, "data", {})  # webargs puts the errors of each field here
    fields = data.get("messages", {})
    fields = fields.get("json", fields.get("query", fields)) if isinstance(fields, dict) else {}
    detail = HTTP_TEXTS.get(error.code, error.description)
    return problem(error.code, error.name.lower().replace(" ", "_"), str(detail), fields)


def _bug(error: Exception) -> ResponseReturnValue:
    log.error("bug at %s, request %s", request.path, _request_id(), exc_info=error)
    return problem(500, "internal_error", str(HTTP_TEXTS[500]), {})


def _request_id() -> str | None:
    return g.context.request_id if "context" in g else None


def problem(status: int, code: str, detail: str, fields: Any) -> ResponseReturnValue:
    """Return the one shape of an error."""
    if is_api():
        body = {"status": status, "code": code, "detail": detail, "fields": plain(fields)}
        answer = Response(status=status, content_type="application/problem+json")
        answer.set_data(json.dumps(body, ensure_ascii=False))
        return answer
    page = render_template(
        "problem.html", status=status, code=code, detail=detail, request_id=_request_id()
    )
    return page, status


def plain(value: Any) -> Any:
    """Return nested errors with every lazy text spoken."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value)
