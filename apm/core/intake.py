"""What comes in by HTTP, read more strictly than the libraries read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import flask_smorest
from flask import Request
from webargs.core import missing, parse_json
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import IntegerConverter, Map

from apm.core.storable import LARGEST, is_storable, unstorable

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


LOOPBACK = frozenset({"127.0.0.1", "::1"})


class BehindLocalProxy:
    """WSGI middleware: believe a proxy on this machine, and no other, whom it speaks for.

    Else everybody behind it would share one address: one person's wrong passwords would lock all
    out, and `/metrics` would take the whole world for this machine.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        said = environ.get("HTTP_X_FORWARDED_FOR", "")
        if said and environ.get("REMOTE_ADDR") in LOOPBACK:
            environ["REMOTE_ADDR"] = said.rpartition(",")[2].strip()  # the proxy adds the last
        return self.app(environ, start_response)


def refuse_cut_body(incoming: Request) -> None:
    """Refuse (413) a body without a length that fills all we read.

    Werkzeug cuts such a body (sent in chunks) at the limit and says nothing: the readings behind
    the cut would be lost, and what came before them acknowledged.
    """
    most = incoming.max_content_length
    if incoming.content_length is None and most is not None and len(incoming.get_data()) >= most:
        raise RequestEntityTooLarge


class RowNumber(IntegerConverter):
    """`<int:...>` in an address: a number that a row can have; any other leads nowhere (404)."""

    def __init__(self, of: Map, **options: Any) -> None:
        super().__init__(of, **{"max": LARGEST, **options})


class StrictParser(FlaskParser):
    """Parser of JSON bodies that also takes endless nesting and endless numbers for bad JSON."""

    def _raw_load_json(self, req: Request) -> Any:
        if not req.is_json:
            return missing
        try:
            found = parse_json(req.get_data(cache=True))
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(type(error).__name__, "", 0) from error
        _refuse_unstorable(found)
        return found


def _refuse_unstorable(found: Any) -> None:
    """Raise `Unstorable` for text that not even the answer naming it could carry."""
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and not is_storable(value):
            raise unstorable()


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # it ships no types
    """What every feature's `api.py` is made of."""

    ARGUMENTS_PARSER = StrictParser()
