"""What the demo's own pages and its start need to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from apm.accounts.model import Grant, SignInSession
from apm.assets.model import Asset, Availability, Condition
from apm.core.command import Context
from apm.core.permissions import Role
from apm.readings.model import Alarm, Latest
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.work.model import WorkOrder
from apm.work.states import WorkType


@dataclass(frozen=True, slots=True)
class Progress:
    """Which steps of the tour somebody has taken since the demo was built."""

    has_reported: bool
    has_accepted: bool
    has_maintained: bool
    has_alarm: bool
    has_managed: bool


def progress(ctx: Context, *, since: datetime) -> Progress:
    """Return how far the tour has come."""

    def any_of(query: object) -> bool:
        return bool(ctx.session.scalar(query))  # type: ignore[call-overload]  # any select

    accepted = WorkOrder.type == WorkType.CORRECTIVE, WorkOrder.created_at > since
    kept = WorkOrder.type == WorkType.PREVENTIVE, WorkOrder.done_at > since
    managed = Grant.role == Role.MANAGER, SignInSession.created_at > since
    return Progress(
        has_reported=any_of(select(func.count(Request.id)).where(Request.reported_at > since)),
        has_accepted=any_of(select(func.count(WorkOrder.id)).where(*accepted)),
        has_maintained=any_of(select(func.count(WorkOrder.id)).where(*kept)),
        has_alarm=any_of(select(func.count(Alarm.id)).where(Alarm.raised_at > since)),
        has_managed=any_of(
            select(func.count(SignInSession.id)).join(SignInSession.grant).where(*managed)
        ),
    )


def ailing_asset(ctx: Context) -> Asset | None:
    """Return a usable asset that fails often and that nobody has reported yet: good to try on."""
    reported = select(Request.asset_id).where(Request.triage == Triage.OPEN)
    query = (
        select(Asset)
        .where(
            Asset.availability == Availability.UP,
            Asset.condition == Condition.POOR,
            Asset.category == "INFP",
            Asset.id.not_in(reported),
        )
        .order_by(Asset.number)
    )
    return ctx.session.scalars(query.limit(1)).first()


def newest_reading(ctx: Context) -> datetime | None:
    """Return when any sensor was last read."""
    return ctx.session.scalar(select(func.max(Latest.at)))
