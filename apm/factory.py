"""The composition root: the one place that knows every feature."""

from __future__ import annotations

from http.client import OK
from importlib import import_module
from types import ModuleType
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask, Response
from flask_compress import Compress
from sqlalchemy.orm import sessionmaker

from apm import models as _all_models  # noqa: F401  (so that all tables and guards exist)
from apm import operations, pages
from apm.accounts.identity import identify
from apm.core import http
from apm.core.db import ApmSession
from apm.core.description import Api
from apm.core.intake import BehindLocalProxy, RowNumber
from apm.core.registry import Stage, all_loaded
from apm.core.settings import ROOT, Settings

FEATURES = (
    "accounts",
    "assets",
    "procedures",
    "readings",
    "collecting",
    "teams",
    "work",
    "vendors",
    "parts",
    "dispatch",
    "requests",
    "today",
    "maintenance",
    "utilisation",
    "stocktake",
    "metrology",
    "risk",
    "recalls",
    "alarms",
    "environment",
    "detecting",
    "forecasts",
    "attribution",
    "notify",
    "webhooks",
    "analytics",
    "reports",
)
PROGRAMS = ("collecting.leasing", "parts.importing")
"""What only programs of their own import: the collector, the command line."""
SMALLER = (
    "text/html", "text/css", "text/javascript", "image/svg+xml", "application/wasm",
    "application/manifest+json",
)  # fmt: skip
"""What travels compressed.  Not JSON: its `ETag` names a row's version and must stay as it is."""
MOST_BYTES = 32 * 1024 * 1024
"""The largest body we read: 100,000 readings as JSON, or a large spreadsheet."""


def load_features() -> None:
    """Import what registers itself: jobs and event handlers.  From then on registries are read."""
    _load("jobs", "handlers")
    _part("worker", "jobs")
    all_loaded(Stage.FEATURES)


def load_pages() -> None:
    """Import everything: pages and APIs, which register sections of pages, too."""
    _load("api", "web")
    for name in PROGRAMS:
        import_module(f"apm.{name}")
    load_features()
    all_loaded(Stage.PAGES)


def _load(*parts: str) -> None:
    for feature in FEATURES:
        for part in parts:
            _part(feature, part)


def _part(feature: str, part: str) -> ModuleType | None:
    """Return a feature's module if the feature has it; an error inside it still rises."""
    name = f"apm.{feature}.{part}"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _name_in_description(schema: Any) -> str:
    """Return a schema's name in the API's description; where all is optional it says so."""
    one = resolve_schema_instance(schema)
    return f"{type(one).__name__}{'Changes' if one.partial else ''}"


class App(Flask):
    """Flask, but files of a kind that gets smaller are sent whole, so that they can be."""

    def send_static_file(self, filename: str) -> Response:
        """Return a file of ours."""
        response = super().send_static_file(filename)
        if response.mimetype in SMALLER and response.status_code == OK:
            response.direct_passthrough = False
            body = response.get_data()
            response.close()
            response.set_data(body)
        return response


def create_app(sessions: sessionmaker[ApmSession], settings: Settings) -> Flask:
    """Build the web application on an open database."""
    app = App("apm", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.url_map.converters["int"] = RowNumber
    app.wsgi_app = BehindLocalProxy(app.wsgi_app)  # type: ignore[method-assign]  # Flask's way
    app.config.update(
        APM_SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        SESSION_COOKIE_SAMESITE="Lax",
        API_TITLE="apm",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        COMPRESS_MIMETYPES=SMALLER,
        COMPRESS_ALGORITHM=("gzip",),
        COMPRESS_STREAMS=False,  # it forgets to close the file
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    marshmallow = MarshmallowPlugin(schema_name_resolver=_name_in_description)
    api = Api(app, spec_kwargs={"marshmallow_plugin": marshmallow})
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    load_pages()
    for feature in FEATURES:
        if part := _part(feature, "api"):
            api.register_blueprint(part.api)
        if part := _part(feature, "web"):
            app.register_blueprint(part.web)
    app.register_blueprint(operations.web)
    Compress(app)
    http.open_to_all(app, "static", "api-docs.openapi_json")
    pages.install(app)
    http.install(app, sessions, identify)  # last: its error pages replace those of Api
    return app
