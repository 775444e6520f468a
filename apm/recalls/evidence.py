"""Whether a recall was open for an asset at an instant: evidence of its failure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select

from apm.accounts.queries import zone_of
from apm.assets.model import Asset
from apm.core.command import Context
from apm.recalls.model import CaseState, RecallCase, SafetyNotice

KEPT_WITHIN = timedelta(days=365)
"""A register to which nothing was added for so long says nothing by its silence."""


def recall_at(ctx: Context, asset: Asset, at: datetime) -> SafetyNotice | None:
    """Return the gravest notice that was published, and not settled for this asset, at `at`."""
    day = at.astimezone(ZoneInfo(zone_of(ctx))).date()
    settled_later = and_(
        RecallCase.state.in_([CaseState.CORRECTED, CaseState.REMOVED]), RecallCase.decided_at > at
    )
    query = (
        select(SafetyNotice)
        .join(RecallCase, RecallCase.notice_id == SafetyNotice.id)
        .where(
            RecallCase.asset_id == asset.id,
            SafetyNotice.published_on <= day,
            or_(RecallCase.state == CaseState.TO_CHECK, settled_later),
        )
        .order_by(SafetyNotice.recall_class, SafetyNotice.id)
    )
    return ctx.session.scalar(query.limit(1))


def is_register_kept(ctx: Context, at: datetime) -> bool:
    """Tell whether notices were entered in the year before `at`: then silence says something."""
    query = select(SafetyNotice.id).where(
        SafetyNotice.entered_at <= at, SafetyNotice.entered_at > at - KEPT_WITHIN
    )
    return ctx.session.scalar(query.limit(1)) is not None
