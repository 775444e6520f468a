"""The JSON API of parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for
from sqlalchemy import select

from apm.core.command import Context
from apm.core.errors import Invalid, NotFound
from apm.core.http import check_version, context, requires
from apm.core.i18n import _l
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.parts import commands, issuing, keeping, queries
from apm.parts.api_schema import (
    MovePageOut,
    PartOut,
    PartPageOut,
    ReorderOut,
    move_out,
    part_out,
    proposal_out,
)
from apm.parts.model import Lot, Part, Stock, Store
from apm.parts.reorder import SERVICE_LEVEL, proposals
from apm.parts.schema import MoveIn, MoveQuery, PartFilter, PartIn

api = Blueprint(
    "parts_api", __name__, url_prefix="/api/v1", description="Spare parts and consumables."
)
Headed = tuple[Any, int, dict[str, str]]


@api.get("/parts")
@api.arguments(PartFilter, location="query")
@api.response(200, PartPageOut)
@requires(Permission.PART_READ)
def list_parts(wanted: dict[str, Any]) -> dict[str, Any]:
    """Parts by number; `q` searches numbers, names, pinyin, barcodes, makers and models."""
    ctx = context()
    query = queries.PartQuery(wanted["q"], wanted["category"], wanted["show"])
    page = queries.part_page(ctx, query, after=wanted.get("after"), limit=wanted["limit"])
    stand = queries.standings(ctx, [part.id for part in page.items])
    return {"items": [part_out(each, stand[each.id]) for each in page.items], "next": page.next}


@api.post("/parts")
@api.arguments(PartIn)
@api.response(201, PartOut)
@requires(Permission.PART_EDIT)
def add_part(values: dict[str, Any]) -> Headed:
    """Add a part to the catalogue."""
    part = commands.add_part(context(), **values)
    found, status, headers = _shown(part.id, 201)
    headers["Location"] = url_for("parts_api.show_part", part_id=part.id)
    return found, status, headers


@api.get("/parts/reorder")
@api.response(200, ReorderOut)
@requires(Permission.PART_READ)
def reorder() -> dict[str, Any]:
    """What to order now, and why."""
    found = [proposal_out(each) for each in proposals(context())]
    return {"items": found, "service_level": SERVICE_LEVEL}


@api.get("/parts/<int:part_id>")
@api.response(200, PartOut)
@requires(Permission.PART_READ)
def show_part(part_id: int) -> Headed:
    """One part."""
    return _shown(part_id)


@api.patch("/parts/<int:part_id>")
@api.arguments(PartIn(partial=True))
@api.response(200, PartOut)
@requires(Permission.PART_EDIT)
def update_part(changes: dict[str, Any], part_id: int) -> Headed:
    """Change the fields given; `If-Match` with the ETag guards against a change in between."""
    ctx = context()
    check_version(queries.part_by_id(ctx, part_id).version)
    commands.update_part(ctx, part_id=part_id, **changes)
    return _shown(part_id)


@api.get("/parts/<int:part_id>/moves")
@api.arguments(MoveQuery, location="query")
@api.response(200, MovePageOut)
@requires(Permission.PART_READ)
def list_moves(wanted: dict[str, Any], part_id: int) -> dict[str, Any]:
    """The moves of a part, the newest first."""
    ctx = context()
    queries.part_by_id(ctx, part_id)
    page = queries.moves_page(ctx, part_id, after=wanted.get("after"), limit=wanted["limit"])
    return {"items": [move_out(move) for move in page.items], "next": page.next}


@api.post("/parts/<int:part_id>/moves")
@api.arguments(MoveIn)
@api.response(201, PartOut)
@requires(Permission.PART_ISSUE)
def move(said: dict[str, Any], part_id: int) -> Headed:
    """Change stock.

    `receive` needs store, and takes lot and expires_on; `issue` needs work_order, and takes lot;
    `return` needs work_order and move; `adjust` (to what was counted) and `scrap` need store and
    reason, and take lot.
    """
    ctx = context()
    part = queries.part_by_id(ctx, part_id)
    DEEDS[said["kind"]](ctx, part, said)
    return _shown(part_id, 201)


def _receive(ctx: Context, part: Part, said: dict[str, Any]) -> None:
    delivery = keeping.Delivery(
        said["quantity"], said.get("store") or "", said.get("lot"), said.get("expires_on")
    )
    keeping.receive(ctx, part_id=part.id, delivery=delivery)


def _issue(ctx: Context, part: Part, said: dict[str, Any]) -> None:
    no = _needed(said, "work_order")
    issuing.issue(ctx, no=no, part_id=part.id, quantity=said["quantity"], lot=said.get("lot"))


def _give_back(ctx: Context, part: Part, said: dict[str, Any]) -> None:
    issuing.give_back(
        ctx,
        no=_needed(said, "work_order"),
        part_id=part.id,
        move_id=_needed(said, "move"),
        quantity=said["quantity"],
        reason=said.get("reason"),
    )


def _adjust(ctx: Context, part: Part, said: dict[str, Any]) -> None:
    reason = said.get("reason") or ""
    stock_id = _lying(ctx, part, said)
    keeping.adjust(
        ctx, part_id=part.id, stock_id=stock_id, counted=said["quantity"], reason=reason
    )


def _scrap(ctx: Context, part: Part, said: dict[str, Any]) -> None:
    reason = said.get("reason") or ""
    stock_id = _lying(ctx, part, said)
    keeping.scrap(
        ctx, part_id=part.id, stock_id=stock_id, quantity=said["quantity"], reason=reason
    )


DEEDS: dict[str, Callable[[Context, Part, dict[str, Any]], None]] = {
    "receive": _receive,
    "issue": _issue,
    "return": _give_back,
    "adjust": _adjust,
    "scrap": _scrap,
}


def _needed(said: dict[str, Any], name: str) -> Any:
    if said.get(name) is None:
        message = _l("Fill this in.")
        raise Invalid(message, fields={name: [message]})
    return said[name]


def _lying(ctx: Context, part: Part, said: dict[str, Any]) -> int:
    """Return the row of stock that a place and a lot name."""
    query = (
        select(Stock.id)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(Store, Store.id == Stock.store_id)
        .where(
            Stock.part_id == part.id,
            Lot.code == (said.get("lot") or ""),
            (Store.name == _needed(said, "store")) | (Store.name_zh == said["store"]),
        )
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("Nothing of this part lies there. Check place and lot."))
    return found


def _shown(part_id: int, status: int = 200) -> Headed:
    ctx = context()
    part = queries.part_by_id(ctx, part_id)
    standing = queries.standings(ctx, [part.id])[part.id]
    return part_out(part, standing), status, {"ETag": f'"{part.version}"'}
