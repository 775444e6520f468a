"""The description of the API that programs read: written when somebody first asks for it."""

from __future__ import annotations

from threading import Lock
from typing import Any

import flask_smorest
from flask import Flask, Response, json

from apm.core.intake import Blueprint


class Api(flask_smorest.Api):  # type: ignore[misc]  # it ships no types
    """Opens every blueprint at once, and describes them all when the description is first read.

    To describe them takes a tenth of a start, and hardly any process is ever asked.
    """

    def __init__(self, app: Flask, **options: Any) -> None:
        self._open: list[Blueprint] = []
        self._described: dict[str, Any] | None = None
        self._describing = Lock()
        super().__init__(app, **options)

    def register_blueprint(self, blp: Blueprint) -> None:
        """Open a feature's part of the API."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._open.append(blp)

    def description(self) -> dict[str, Any]:
        """Return the whole as OpenAPI."""
        with self._describing:
            if self._described is None:
                for blp in self._open:
                    blp.register_views_in_doc(
                        self, self._app, self.spec, name=blp.name, parameters=None
                    )
                    self.spec.tag({"name": blp.name, "description": blp.description})
                self._described = self.spec.to_dict()
            return self._described

    def _openapi_json(self) -> Response:
        text = json.dumps(self.description(), indent=2, sort_keys=False)
        return Response(text, mimetype="application/json")
