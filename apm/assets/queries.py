"""Reading the register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset, AssetState, Availability, Department, Location
from apm.assets.search import Search, search_for
from apm.core.codes import normal_code
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.natural import natural
from apm.core.paging import Page, page_of


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """What a list of assets is narrowed to: any of the values of each, all of the kinds."""

    q: str = ""
    department: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    lifecycle: tuple[AssetState, ...] = ()
    availability: tuple[Availability, ...] = ()


def assets_with_places() -> Select[Asset]:
    """Return the select of assets with department and location: one statement for both."""
    return select(Asset).options(joinedload(Asset.department), joinedload(Asset.location))


def asset_by_code(ctx: Context, code: str) -> Asset:
    """Return the asset whose label says `code`; lower case and I, L, O for 1, 1, 0 will do.

    Raises:
        NotFound: no such label here; a label of another hospital looks the same.
    """
    query = assets_with_places().where(Asset.code == normal_code(code))
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(
            _l("No equipment of this hospital has this label. Check the code, or search for it.")
        )
    return found


def asset_by_number(ctx: Context, number: str) -> Asset | None:
    """Return the asset with the hospital's own number, None if there is none."""
    return ctx.session.scalar(assets_with_places().where(Asset.number == number.strip()))


def departments(ctx: Context) -> list[Department]:
    """Return the hospital's departments by name."""
    return sorted(ctx.session.scalars(select(Department)), key=lambda one: natural(one.name))


def locations(ctx: Context) -> list[Location]:
    """Return the hospital's locations by name, room 2 before room 10."""
    return sorted(ctx.session.scalars(select(Location)), key=lambda one: natural(one.name))


def register_page(
    ctx: Context, wanted: RegisterFilter, *, after: str | None = None, limit: int = 50
) -> Page[Asset]:
    """Return one page of the register, by the hospital's number."""
    query = narrowed(assets_with_places(), wanted, search_for(ctx, wanted.q))
    return page_of(ctx.session, query, by=[Asset.number], after=after, limit=limit)


def assets_for_labels(ctx: Context, wanted: RegisterFilter, *, most: int) -> list[Asset]:
    """Return up to `most` assets that match, by number."""
    query = narrowed(assets_with_places(), wanted, search_for(ctx, wanted.q))
    return list(ctx.session.scalars(query.order_by(Asset.number).limit(most)))


def assets_by_codes(ctx: Context, codes: list[str]) -> list[Asset]:
    """Return the assets with these codes, by number; unknown codes are left out."""
    wanted = {normal_code(code) for code in codes}
    query = assets_with_places().where(Asset.code.in_(wanted)).order_by(Asset.number)
    return list(ctx.session.scalars(query))


def narrowed(
    query: Select[*tuple[Any, ...]], wanted: RegisterFilter, search: Search
) -> Select[*tuple[Any, ...]]:
    """Return `query` on assets with the search and every filter applied."""
    query = search.of(query)
    if wanted.department:
        query = query.where(Asset.department_id.in_(_named(Department, wanted.department)))
    if wanted.location:
        query = query.where(Asset.location_id.in_(_named(Location, wanted.location)))
    if wanted.category:
        query = query.where(Asset.category.in_(wanted.category))
    if wanted.lifecycle:
        query = query.where(Asset.lifecycle.in_(wanted.lifecycle))
    if wanted.availability:
        query = query.where(Asset.availability.in_(wanted.availability))
    return query


def _named(place: type[Department | Location], names: tuple[str, ...]) -> Select[Any]:
    return select(place.id).where(or_(place.name.in_(names), place.name_zh.in_(names)))
