"""The JSON API of assets."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, url_for

from apm.assets import commands
from apm.assets.model import Asset
from apm.assets.queries import RegisterFilter, asset_by_code, register_page
from apm.assets.schema import AssetFilter, AssetIn, AssetOut, AssetPageOut
from apm.core.http import check_version, context, requires
from apm.core.intake import Blueprint
from apm.core.paging import Page
from apm.core.permissions import Permission

api = Blueprint(
    "assets_api", __name__, url_prefix="/api/v1", description="The equipment register."
)
FILTERS = ("department", "location", "category", "lifecycle", "availability")


@api.get("/assets")
@api.arguments(AssetFilter, location="query")
@api.response(200, AssetPageOut)
@requires(Permission.ASSET_READ)
def list_assets(wanted: dict[str, Any]) -> Page[Asset]:
    """Assets by number; `q` searches names, numbers, serials, models, makers and codes."""
    values = {name: (wanted[name],) for name in FILTERS if name in wanted}
    found = RegisterFilter(q=wanted["q"], **values)
    return register_page(context(), found, after=wanted.get("after"), limit=wanted["limit"])


@api.post("/assets")
@api.arguments(AssetIn)
@api.response(201, AssetOut)
@requires(Permission.ASSET_EDIT)
def create_asset(values: dict[str, Any]) -> Response:
    """Add an asset; the answer carries its public code."""
    asset = commands.create_asset(context(), **values)
    answer = _answer(asset)
    answer.status_code = 201
    answer.headers["Location"] = url_for("assets_api.show_asset", code=asset.code)
    return answer


@api.get("/assets/<code>")
@api.response(200, AssetOut)
@requires(Permission.ASSET_READ)
def show_asset(code: str) -> Response:
    """One asset by its public code."""
    return _answer(asset_by_code(context(), code))


@api.patch("/assets/<code>")
@api.arguments(AssetIn(partial=True))
@api.response(200, AssetOut)
@requires(Permission.ASSET_EDIT)
def update_asset(changes: dict[str, Any], code: str) -> Response:
    """Change the fields given; `If-Match` with the ETag guards against a change in between."""
    ctx = context()
    check_version(asset_by_code(ctx, code).version)
    return _answer(commands.update_asset(ctx, code=code, **changes))


def _answer(asset: Asset) -> Response:
    answer = jsonify(AssetOut().dump(asset))
    answer.set_etag(str(asset.version))
    return answer
