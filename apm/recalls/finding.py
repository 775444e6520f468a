"""Which assets notices touch: asked when a notice is entered and when equipment is described."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Select, select

from apm.assets.model import GONE, Asset
from apm.core.command import Context
from apm.recalls.events import NoticeTouches
from apm.recalls.model import CaseState, RecallCase, RecallClass, SafetyNotice
from apm.recalls.queries import scope_of
from apm.recalls.scope import plain

CHUNK = 500
Columns = Select[int, str | None, str | None, str | None, str | None]


class Described(NamedTuple):
    """What decides whether an asset is meant."""

    id: int
    manufacturer: str | None
    model: str | None
    lot: str | None
    serial: str | None


def find(ctx: Context, notices: Sequence[SafetyNotice]) -> None:
    """Note which of all the hospital's assets these notices touch; inside a command."""
    makers = ctx.session.scalars(select(Asset.manufacturer).distinct())
    meant = {plain(notice.manufacturer) for notice in notices}
    query = _described().where(Asset.manufacturer.in_([m for m in makers if plain(m) in meant]))
    cases = select(RecallCase).where(RecallCase.notice_id.in_([n.id for n in notices]))
    _compare(ctx, notices, _rows(ctx, query), list(ctx.session.scalars(cases)))


def find_again(ctx: Context, asset_ids: Sequence[int]) -> None:
    """Note which open notices touch these assets as they are described now; inside a command."""
    notices = list(
        ctx.session.scalars(select(SafetyNotice).where(SafetyNotice.closed_at.is_(None)))
    )
    for start in range(0, len(asset_ids) if notices else 0, CHUNK):
        some = asset_ids[start : start + CHUNK]
        cases = select(RecallCase).where(
            RecallCase.asset_id.in_(some), RecallCase.notice_id.in_([n.id for n in notices])
        )
        rows = _rows(ctx, _described().where(Asset.id.in_(some)))
        _compare(ctx, notices, rows, list(ctx.session.scalars(cases)))


def _described() -> Columns:
    return select(Asset.id, Asset.manufacturer, Asset.model, Asset.lot, Asset.serial).where(
        Asset.manufacturer.is_not(None), Asset.lifecycle.not_in(GONE)
    )


def _rows(ctx: Context, query: Columns) -> list[Described]:
    return [Described(*row) for row in ctx.session.execute(query)]


def _compare(
    ctx: Context, notices: Iterable[SafetyNotice], rows: list[Described], cases: list[RecallCase]
) -> None:
    """Add the cases that are missing; drop those nobody has worked on and that are not meant."""
    by_maker: dict[str, list[Described]] = defaultdict(list)
    for row in rows:
        by_maker[plain(row.manufacturer)].append(row)
    known: dict[int, dict[int, RecallCase]] = defaultdict(dict)
    for case in cases:
        known[case.notice_id][case.asset_id] = case
    for notice in notices:
        scope = scope_of(notice)
        meant = {
            row.id
            for row in by_maker[plain(notice.manufacturer)]
            if scope.is_of(row.manufacturer, row.model) and scope.holds(row.lot, row.serial)
        }
        _note(ctx, notice, sorted(meant - known[notice.id].keys()))
        for asset_id, case in known[notice.id].items():
            if asset_id not in meant and _is_untouched(case):
                ctx.session.delete(case)
    ctx.session.flush()


def _note(ctx: Context, notice: SafetyNotice, asset_ids: list[int]) -> None:
    ctx.session.add_all(
        RecallCase(
            notice_id=notice.id,
            asset_id=asset_id,
            state=CaseState.TO_CHECK,
            found_at=ctx.now(),
        )
        for asset_id in asset_ids
    )
    if asset_ids:
        is_grave = notice.recall_class is RecallClass.I
        ctx.emit(NoticeTouches(notice.id, notice.number, is_grave, len(asset_ids)))


def _is_untouched(case: RecallCase) -> bool:
    return case.state is CaseState.TO_CHECK and case.work_order_id is None
