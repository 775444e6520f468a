"""Reading counts: which there are, what was found, what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.stocktake.model import Expectation, Found, Scan, Stocktake

MOST_SHOWN = 50
"""Rows of one section on the page of a running count; the report shows all."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How a count stands: numbers of assets or codes."""

    expected: int
    found: int
    unexpected: int
    unknown: int

    @property
    def missing(self) -> int:
        """Expected and not seen yet."""
        return self.expected - self.found


def stocktake_by_no(ctx: Context, no: str) -> Stocktake:
    """Return a count with its department, or raise `NotFound`."""
    return _found(ctx, _by_no(no))


def stocktake_for_writing(ctx: Context, no: str) -> Stocktake:
    """Return a count, fresh and locked until the command ends: several people scan at once."""
    query = _by_no(no).with_for_update(of=Stocktake)
    return _found(ctx, query.execution_options(populate_existing=True))


def _by_no(no: str) -> Select[Stocktake]:
    return select(Stocktake).where(Stocktake.no == no).options(selectinload(Stocktake.department))


def _found(ctx: Context, query: Select[Stocktake]) -> Stocktake:
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such stocktake. Look for it in the list."))
    return found


def stocktake_page(ctx: Context, *, after: str | None = None, limit: int = 50) -> Page[Stocktake]:
    """Return the hospital's counts, the newest first."""
    query = select(Stocktake).options(joinedload(Stocktake.department))
    return page_of(
        ctx.session, query, by=(Stocktake.id,), after=after, limit=limit, descending=True
    )


def running_in(ctx: Context, department_id: int) -> Stocktake | None:
    """Return the count of this department that is not finished."""
    query = select(Stocktake).where(
        Stocktake.department_id == department_id, Stocktake.finished_at.is_(None)
    )
    return ctx.session.scalar(query)


def counts_of(ctx: Context, stocktakes: list[Stocktake]) -> dict[int, Counts]:
    """Return how each of these counts stands, by its id, with one query for all."""
    query = (
        select(Scan.stocktake_id, Scan.found, func.count(Scan.id).label("n"))
        .where(Scan.stocktake_id.in_([s.id for s in stocktakes]))
        .group_by(Scan.stocktake_id, Scan.found)
    )
    n = {(row.stocktake_id, row.found): row.n for row in ctx.session.execute(query)}
    return {
        s.id: Counts(s.expected, *(n.get((s.id, kind), 0) for kind in Found)) for s in stocktakes
    }


def scan_of(ctx: Context, stocktake: Stocktake, code: str) -> Scan | None:
    """Return the scan of this code, if it has been counted."""
    query = select(Scan).where(Scan.stocktake_id == stocktake.id, Scan.code == code)
    return ctx.session.scalar(query.options(*_with_places()))


def scans_of(
    ctx: Context, stocktake: Stocktake, found: Found | None = None, *, limit: int | None = None
) -> list[Scan]:
    """Return what was scanned, the latest first, with assets and places."""
    query = select(Scan).where(Scan.stocktake_id == stocktake.id).options(*_with_places())
    if found is not None:
        query = query.where(Scan.found == found)
    return list(ctx.session.scalars(query.order_by(Scan.id.desc()).limit(limit)))


def missing_from(ctx: Context, stocktake: Stocktake, *, limit: int | None = None) -> list[Asset]:
    """Return what was expected and not seen, by number, with places."""
    query = (
        select(Asset)
        .join(Expectation, Expectation.asset_id == Asset.id)
        .where(Expectation.stocktake_id == stocktake.id, ~_was_scanned(stocktake))
        .options(joinedload(Asset.department), joinedload(Asset.location))
        .order_by(Asset.number)
    )
    return list(ctx.session.scalars(query.limit(limit)))


def is_expected(ctx: Context, stocktake: Stocktake, asset: Asset) -> bool:
    """Tell whether an asset was registered in the department when the count began."""
    query = select(Expectation.id).where(
        Expectation.stocktake_id == stocktake.id, Expectation.asset_id == asset.id
    )
    return ctx.session.scalar(query) is not None


def _was_scanned(stocktake: Stocktake) -> ColumnElement[bool]:
    return (
        select(Scan.id)
        .where(Scan.stocktake_id == stocktake.id, Scan.asset_id == Asset.id)
        .exists()
    )


def _with_places() -> tuple[ExecutableOption, ...]:
    asset = joinedload(Scan.asset)
    return (asset.joinedload(Asset.department), asset.joinedload(Asset.location))
