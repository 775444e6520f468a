"""Bringing an equipment list into the register: all of its rows, or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from apm.assets import search
from apm.assets.commands import DESCRIBES, assign, new_asset
from apm.assets.events import AssetsDescribed
from apm.assets.lifecycle import enter, step_between
from apm.assets.listing import ListedAsset, Listing
from apm.assets.model import Asset
from apm.assets.places import Places
from apm.assets.queries import assets_with_places
from apm.assets.workbook import Problem
from apm.core.command import Context, command
from apm.core.i18n import _l
from apm.core.permissions import Permission

CHUNK = 500
"""Rows handled together: below the number of parameters any database takes."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do; with problems it does nothing."""

    rows: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs, its messages in the language spoken."""
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "errors": [
                {"row": p.row, "column": p.column, "code": p.code, "message": str(p.message)}
                for p in self.problems
            ],
            "ignored": list(self.ignored),
        }


@dataclass(slots=True)
class _Plan:
    """The difference between a list and the register."""

    created: list[ListedAsset] = field(default_factory=list)
    updated: list[tuple[Asset, dict[str, Any]]] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)


def check_import(ctx: Context, listing: Listing) -> ImportReport:
    """Return what importing a list would do, and do nothing."""
    ctx.actor.require(Permission.ASSET_IMPORT)
    return _report(listing, _compare(ctx, listing))


@command("asset.import", Permission.ASSET_IMPORT)
def import_assets(ctx: Context, *, listing: Listing) -> ImportReport:
    """Create and update the assets of a list by their number; with any problem, change nothing.

    An empty cell empties the field; a field without a column stays.  Departments and locations
    that are not known yet are made.
    """
    plan = _compare(ctx, listing)
    if not (listing.problems or plan.problems):
        _write(ctx, plan)
    return _report(listing, plan)


def _report(listing: Listing, plan: _Plan) -> ImportReport:
    problems = (*listing.problems, *plan.problems)
    rows, ignored = len(listing.assets), tuple(listing.ignored)
    if problems:
        return ImportReport(rows, problems=problems, ignored=ignored)
    return ImportReport(
        rows, len(plan.created), len(plan.updated), plan.unchanged, ignored=ignored
    )


def _compare(ctx: Context, listing: Listing) -> _Plan:
    plan = _Plan()
    if listing.problems:
        return plan
    for some in _chunks(listing.assets):
        numbers = [listed.values["number"] for listed in some]
        query = assets_with_places().where(Asset.number.in_(numbers))
        known = {asset.number: asset for asset in ctx.session.scalars(query)}
        for listed in some:
            asset = known.get(listed.values["number"])
            if asset is None:
                plan.created.append(listed)
            elif changes := _changes(asset, listed.values):
                plan.updated.append((asset, changes))
                plan.problems += _impossible(listing, listed, asset, changes)
            else:
                plan.unchanged += 1
    return plan


def _changes(asset: Asset, values: dict[str, Any]) -> dict[str, Any]:
    given = dict(values)
    if "name" not in given and asset.name == asset.name_zh:
        given["name"] = given.get("name_zh") or asset.name  # the list knows one name for both
    return {name: value for name, value in given.items() if _differs(asset, name, value)}


def _differs(asset: Asset, name: str, value: Any) -> bool:
    if name in {"department", "location"}:
        place = getattr(asset, name)
        return value not in ({place.name, place.name_zh or place.name} if place else {None})
    return bool(getattr(asset, name) != value)


def _impossible(
    listing: Listing, listed: ListedAsset, asset: Asset, changes: dict[str, Any]
) -> Iterator[Problem]:
    state = changes.get("lifecycle")
    if state is not None and step_between(asset.lifecycle, state) is None:
        message = _l(
            "The register says another state, and a list cannot change it to this one. Empty the"
            " cell, then change the state on the asset's page or close its work order."
        )
        yield Problem(listed.row, listing.headers["lifecycle"], "impossible_state", message)


def _write(ctx: Context, plan: _Plan) -> None:
    places = Places(ctx)
    for values in (*(new.values for new in plan.created), *(c for _asset, c in plan.updated)):
        # Before any asset waits to be written: each new place would send them one by one.
        places.location(values.get("location"), places.department(values.get("department")))
    for new in _chunks(plan.created):
        made = [_created(ctx, places, listed.values) for listed in new]
        ctx.session.add_all(made)
        ctx.session.flush()  # the search words need the ids
        search.index(ctx, made)
        ctx.emit(AssetsDescribed([asset.id for asset in made]))
    for known in _chunks(plan.updated):
        for asset, changes in known:
            _apply(ctx, places, asset, changes)
        ctx.session.flush()
        search.index(ctx, [asset for asset, _changes in known])
        others = [asset.id for asset, changes in known if changes.keys() & {*DESCRIBES}]
        if others:
            ctx.emit(AssetsDescribed(others))


def _created(ctx: Context, places: Places, values: dict[str, Any]) -> Asset:
    given = dict(values)
    name = given.pop("name", None) or given["name_zh"]
    asset = new_asset(ctx, number=given.pop("number"), name=name, category=given.pop("category"))
    _apply(ctx, places, asset, given)
    return asset


def _apply(ctx: Context, places: Places, asset: Asset, changes: dict[str, Any]) -> None:
    state = changes.get("lifecycle")
    if state is not None:
        enter(ctx, asset, state)
    rest: Any = {name: value for name, value in changes.items() if name != "lifecycle"}
    assign(places, asset, rest)


def _chunks(items: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
