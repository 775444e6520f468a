"""What people do in a count."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select

from apm.accounts.queries import colleague
from apm.assets.commands import advance, move_asset
from apm.assets.lifecycle import USED
from apm.assets.model import GONE, Asset, AssetState, Department
from apm.assets.queries import asset_by_number, assets_with_places
from apm.core.codes import normal_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.stocktake.model import Expectation, Found, Scan, Stocktake
from apm.stocktake.queries import (
    is_expected,
    missing_from,
    running_in,
    scan_of,
    scans_of,
    stocktake_for_writing,
)
from apm.work.numbers import next_number

OUR_LABEL = re.compile(r"/a/([0-9A-Za-z-]{6,12})(?:[/?#]|$)")
"""What a camera app reads from our label: an address, of which only the code matters."""
LONGEST_CODE = 100


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of one scan; `is_new` is False when it had been counted before."""

    scan: Scan
    is_new: bool


@command("stocktake.start", Permission.STOCKTAKE_RUN)
def start(ctx: Context, *, department_id: int) -> Stocktake:
    """Begin to count a department: what is registered there now is what is expected.

    Raises:
        NotFound: no such department.
        Conflict: a count of this department is running already; others join that one.
    """
    no = next_number(ctx, "ST")  # first: its lock lets nobody else begin meanwhile
    department = ctx.session.get(Department, department_id)
    if department is None:
        raise NotFound(_l("There is no such department. Choose one from the list."))
    if other := running_in(ctx, department_id):
        raise Conflict(
            _l("A stocktake of this department is running: %(no)s. Join that one."),
            code="already_running",
            no=other.no,
        )
    expected = _registered_in(ctx, department_id)
    stocktake = Stocktake(
        no=no,
        department_id=department_id,
        started_by=_who(ctx),
        started_at=ctx.now(),
        expected=len(expected),
    )
    stocktake.department = department
    ctx.session.add(stocktake)
    ctx.session.flush()
    ctx.bulk_insert(
        Expectation, [{"stocktake_id": stocktake.id, "asset_id": each} for each in expected]
    )
    return stocktake


@command("stocktake.scan", Permission.STOCKTAKE_RUN)
def scan(ctx: Context, *, no: str, code: str) -> Counted:
    """Count what a label says, or an asset number typed by hand.

    The same thing again changes nothing, whether by its label or its number.

    Raises:
        NotFound: no such count.
        Conflict: it is finished.
        Invalid: nothing was read.
    """
    stocktake = _running(ctx, no)
    text = _read(code)
    asset = _asset_named(ctx, text)
    known_as = asset.code if asset else text
    if again := scan_of(ctx, stocktake, known_as):
        return Counted(again, is_new=False)
    counted = Scan(
        stocktake_id=stocktake.id,
        code=known_as,
        asset_id=asset.id if asset else None,
        found=_kind(ctx, stocktake, asset),
        scanned_by=_who(ctx),
        scanned_at=ctx.now(),
    )
    counted.asset = asset
    ctx.session.add(counted)
    ctx.session.flush()
    return Counted(counted, is_new=True)


@command("stocktake.move_here", Permission.STOCKTAKE_RUN)
def move_here(ctx: Context, *, no: str, code: str) -> Asset:
    """Register an asset that was found here under the department that is counted.

    The room it was in belongs elsewhere, so it is left open.  The scan stays what it was: a find
    that nobody expected.
    """
    stocktake = stocktake_for_writing(ctx, no)
    seen = scan_of(ctx, stocktake, normal_code(code))
    if seen is None or seen.asset is None:
        raise NotFound(_l("This was not scanned in this stocktake. Scan it first."))
    if seen.asset.lifecycle in GONE:
        raise Conflict(_l("This asset is retired and cannot be moved."))
    return move_asset(
        ctx, code=seen.asset.code, location=None, department=stocktake.department.name
    )


@command("stocktake.finish", Permission.STOCKTAKE_RUN)
def finish(ctx: Context, *, no: str, update_register: bool) -> Stocktake:
    """End a count.

    With `update_register` what was not found is reported missing (unless it is away for a repair
    or in quarantine), and what had been missing and was seen is back where it was before.
    """
    stocktake = _running(ctx, no)
    if update_register:
        ctx.actor.require(Permission.ASSET_EDIT)
        for asset in missing_from(ctx, stocktake):
            if asset.lifecycle in USED:
                advance(ctx, code=asset.code, action="report_missing")
        for seen in scans_of(ctx, stocktake):
            if seen.asset and seen.asset.lifecycle is AssetState.MISSING:
                advance(ctx, code=seen.asset.code, action="find")
    stocktake.finished_at = ctx.now()
    stocktake.finished_by = _who(ctx)
    return stocktake


def _running(ctx: Context, no: str) -> Stocktake:
    stocktake = stocktake_for_writing(ctx, no)
    if stocktake.finished_at:
        raise Conflict(_l("This stocktake is finished. Start a new one to count again."))
    return stocktake


def _registered_in(ctx: Context, department_id: int) -> list[int]:
    query = select(Asset.id).where(
        Asset.department_id == department_id, Asset.lifecycle.not_in(GONE)
    )
    return list(ctx.session.scalars(query.order_by(Asset.id)))


def _read(code: str) -> str:
    found = OUR_LABEL.search(code)
    text = found.group(1) if found else code.strip()
    if not text or len(text) > LONGEST_CODE:
        message = _l("Scan a label, or type its code or the asset number.")
        raise Invalid(message, fields={"code": [message]})
    return text


def _asset_named(ctx: Context, text: str) -> Asset | None:
    by_label = assets_with_places().where(Asset.code == normal_code(text))
    return ctx.session.scalar(by_label) or asset_by_number(ctx, text)


def _kind(ctx: Context, stocktake: Stocktake, asset: Asset | None) -> Found:
    if asset is None:
        return Found.UNKNOWN
    return Found.EXPECTED if is_expected(ctx, stocktake, asset) else Found.UNEXPECTED


def _who(ctx: Context) -> str:
    return colleague(ctx, ctx.actor.user_id).name if ctx.actor.user_id else ctx.actor.name
