"""Reading notices and the equipment they touch."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from apm.assets.model import GONE, Asset
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.recalls.model import CaseState, RecallCase, SafetyNotice
from apm.recalls.scope import Scope


@dataclass(frozen=True, slots=True)
class Counts:
    """How many assets a notice touches, by what became of them."""

    by_state: dict[CaseState, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_state.values())

    @property
    def to_check(self) -> int:
        """Those nobody has decided about."""
        return self.by_state.get(CaseState.TO_CHECK, 0)


def scope_of(notice: SafetyNotice) -> Scope:
    """Return which equipment a notice is about."""
    return Scope(
        notice.manufacturer,
        notice.models or "",
        (notice.lot_from, notice.lot_to),
        (notice.serial_from, notice.serial_to),
    )


def notice_by_id(ctx: Context, notice_id: int) -> SafetyNotice:
    """Return a notice.

    Raises:
        NotFound: no such notice here.
    """
    found = ctx.session.scalar(select(SafetyNotice).where(SafetyNotice.id == notice_id))
    if found is None:
        raise NotFound(_l("There is no such notice. Look for it in the list."))
    return found


def notice_page(
    ctx: Context, *, state: str = "all", q: str = "", after: str | None = None, limit: int = 50
) -> Page[SafetyNotice]:
    """Return notices, the newest first; `state` is `open`, `closed` or all."""
    query = select(SafetyNotice)
    if state in {"open", "closed"}:
        closed = SafetyNotice.closed_at
        query = query.where(closed.is_(None) if state == "open" else closed.is_not(None))
    if text := q.strip():
        columns = (
            SafetyNotice.number, SafetyNotice.title, SafetyNotice.title_zh,
            SafetyNotice.manufacturer, SafetyNotice.models,
        )  # fmt: skip
        query = query.where(or_(*(c.icontains(text, autoescape=True) for c in columns)))
    by = [SafetyNotice.published_on, SafetyNotice.id]
    return page_of(ctx.session, query, by=by, after=after, limit=limit, descending=True)


def counts_of(ctx: Context, notices: list[SafetyNotice]) -> dict[int, Counts]:
    """Return what became of the equipment of some notices, in one statement."""
    query = (
        select(RecallCase.notice_id, RecallCase.state, func.count(RecallCase.id))
        .where(RecallCase.notice_id.in_([notice.id for notice in notices]))
        .group_by(RecallCase.notice_id, RecallCase.state)
    )
    counts = {notice.id: Counts() for notice in notices}
    for notice_id, state, n in ctx.session.execute(query):
        counts[notice_id].by_state[state] = n
    return counts


def without_work(ctx: Context, notice: SafetyNotice) -> int:
    """Return of how many assets to check the work is not open yet; retired ones get none."""
    query = (
        select(func.count(RecallCase.id))
        .join(RecallCase.asset)
        .where(
            RecallCase.notice_id == notice.id,
            RecallCase.state == CaseState.TO_CHECK,
            RecallCase.work_order_id.is_(None),
            Asset.lifecycle.not_in(GONE),
        )
    )
    return ctx.session.scalar(query) or 0


def _whole() -> Select[RecallCase]:
    return select(RecallCase).options(
        joinedload(RecallCase.asset).joinedload(Asset.department),
        joinedload(RecallCase.asset).joinedload(Asset.location),
        joinedload(RecallCase.work_order),
    )


def case_page(
    ctx: Context, notice: SafetyNotice, *, after: str | None = None, limit: int = 50
) -> Page[RecallCase]:
    """Return the assets a notice touches, as they were found."""
    query = _whole().where(RecallCase.notice_id == notice.id)
    return page_of(ctx.session, query, by=[RecallCase.id], after=after, limit=limit)


def case_of(ctx: Context, notice: SafetyNotice, asset: Asset) -> RecallCase:
    """Return what is known of one asset that a notice touches.

    Raises:
        NotFound: the notice does not touch it.
    """
    query = _whole().where(RecallCase.notice_id == notice.id, RecallCase.asset_id == asset.id)
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("This notice does not touch this equipment. Look at its list."))
    return found


def open_cases(ctx: Context, asset: Asset) -> list[RecallCase]:
    """Return the open notices that touch an asset, the gravest first."""
    query = (
        select(RecallCase)
        .join(RecallCase.notice)
        .options(joinedload(RecallCase.notice), joinedload(RecallCase.work_order))
        .where(RecallCase.asset_id == asset.id, SafetyNotice.closed_at.is_(None))
        .order_by(SafetyNotice.recall_class, SafetyNotice.published_on.desc(), RecallCase.id)
    )
    return list(ctx.session.scalars(query))


def cases_of_order(ctx: Context, order_id: int) -> list[RecallCase]:
    """Return the notices a work order was opened for."""
    query = (
        select(RecallCase)
        .options(joinedload(RecallCase.notice), joinedload(RecallCase.asset))
        .where(RecallCase.work_order_id == order_id)
    )
    return list(ctx.session.scalars(query.order_by(RecallCase.id)))
