"""What the records say of each category: what maintenance found, and what failed between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from apm.accounts.queries import hospital_day
from apm.assets.model import GONE, Asset
from apm.core.command import Context
from apm.procedures.model import Verdict
from apm.risk.scores import plain
from apm.work.causes import causes
from apm.work.model import WorkOrder, WorkStep
from apm.work.states import WorkState, WorkType
from predict.maintenance_yield import Estimate, rate, share

DAYS_A_MONTH = 365.25 / 12
SIGNED = (WorkState.DONE, WorkState.CLOSED)


class Change(StrEnum):
    """What the evidence speaks for."""

    LONGER = "longer"
    SHORTER = "shorter"
    KEEP = "keep"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Counts of one category over the time that is looked at."""

    assets: int = 0
    device_months: float = 0.0
    failures: int = 0
    completed: int = 0
    """Preventive maintenance that was signed."""
    found: int = 0
    """Of these, how many found a fault: at least one failed step."""

    @property
    def yielded(self) -> Estimate | None:
        """The share of maintenance that found something."""
        return share(self.found, self.completed)

    def failures_each(self, months: int) -> Estimate | None:
        """Return how many failures one device has between two maintenances so far apart."""
        return rate(self.failures, self.device_months / months) if months else None

    @property
    def months_between(self) -> float | None:
        """Months between two failures of one device; None: there was none."""
        return self.device_months / self.failures if self.failures else None

    def as_plain(self) -> dict[str, Any]:
        """Return the counts as they are kept with a decision."""
        return {
            "assets": self.assets,
            "device_months": round(self.device_months, 1),
            "failures": self.failures,
            "completed": self.completed,
            "found": self.found,
        }


@dataclass(frozen=True, slots=True)
class Proposal:
    """An interval the evidence speaks for, in months; the same as now where it says nothing."""

    change: Change
    months: int


def evidence_by_category(ctx: Context) -> dict[str, Evidence]:
    """Return the evidence of every category, in four statements."""
    since = window_start(ctx)
    exposure = _exposure(ctx, since)
    failures = dict(_counts(ctx, _failures(since)))
    completed = dict(_counts(ctx, _maintenance(since)))
    found = dict(_counts(ctx, _maintenance(since).where(_has_failed())))
    return {
        category: Evidence(
            assets=assets,
            device_months=months,
            failures=failures.get(category, 0),
            completed=completed.get(category, 0),
            found=found.get(category, 0),
        )
        for category, (assets, months) in exposure.items()
    }


def evidence_of_asset(ctx: Context, asset: Asset) -> Evidence:
    """Return the evidence of one asset, in four statements."""
    since = window_start(ctx)

    def count(query: Any) -> int:
        return int(ctx.session.scalar(query.where(WorkOrder.asset_id == asset.id)) or 0)

    return Evidence(
        assets=1,
        device_months=_months(asset.in_service_on, since, hospital_day(ctx)),
        failures=count(_failures(since).with_only_columns(func.count(WorkOrder.id))),
        completed=count(_maintenance(since).with_only_columns(func.count(WorkOrder.id))),
        found=count(
            _maintenance(since).where(_has_failed()).with_only_columns(func.count(WorkOrder.id))
        ),
    )


def window_start(ctx: Context) -> date:
    """Return the first day looked at: so many months back, or the hospital's first work order."""
    today = hospital_day(ctx)
    earliest = today - timedelta(days=round(plain()["evidence"]["months"] * DAYS_A_MONTH))
    first = ctx.session.scalar(select(func.min(WorkOrder.created_at)))
    return max(earliest, first.date()) if first else today


def _exposure(ctx: Context, since: date) -> dict[str, tuple[int, float]]:
    query = select(Asset.category, Asset.in_service_on).where(Asset.lifecycle.not_in(GONE))
    today = hospital_day(ctx)
    found: dict[str, tuple[int, float]] = {}
    for category, began in ctx.session.execute(query):
        assets, months = found.get(category, (0, 0.0))
        found[category] = (assets + 1, months + _months(began, since, today))
    return found


def _months(began: date | None, since: date, today: date) -> float:
    return max(0, (today - max(since, began or since)).days) / DAYS_A_MONTH


def _signed(kind: WorkType, since: date) -> Any:
    return (
        select(WorkOrder.id)
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .where(
            WorkOrder.type == kind,
            WorkOrder.state.in_(SIGNED),
            Asset.lifecycle.not_in(GONE),
            WorkOrder.done_at >= datetime.combine(since, time(0), UTC),
        )
    )


def _failures(since: date) -> Any:
    counting = [cause.code for cause in causes().values() if cause.is_failure]
    return _signed(WorkType.CORRECTIVE, since).where(WorkOrder.cause_code.in_(counting))


def _maintenance(since: date) -> Any:
    return _signed(WorkType.PREVENTIVE, since)


def _has_failed() -> Any:
    failed = select(WorkStep.id).where(
        WorkStep.work_order_id == WorkOrder.id, WorkStep.verdict == Verdict.FAIL
    )
    return failed.exists()


def _counts(ctx: Context, query: Any) -> Iterable[tuple[str, int]]:
    grouped = query.with_only_columns(Asset.category, func.count(WorkOrder.id))
    return [(c, int(n)) for c, n in ctx.session.execute(grouped.group_by(Asset.category))]


def propose(evidence: Evidence, months: int, *, may_be_longer: bool) -> Proposal:
    """Return the interval the evidence speaks for; `may_be_longer`: the maker need not be obeyed.

    Shorter where maintenance often finds faults, or much fails between; longer where both are
    surely rare.  Both are said by the ends of the intervals, not by the counts alone.
    """
    rules = plain()["evidence"]
    found, between = evidence.yielded, evidence.failures_each(months)
    if found is None or between is None or found.n < rules["shorter"]["completed"]:
        return Proposal(Change.TOO_FEW, months)
    often = found.low >= rules["shorter"]["yield_low"]
    if often or between.low >= rules["shorter"]["failures_low"]:
        step = _next(months, rules["steps"], shorter=True)
        return Proposal(Change.SHORTER if step != months else Change.KEEP, step)
    rare = (
        found.n >= rules["longer"]["completed"]
        and found.high <= rules["longer"]["yield_high"]
        and between.high <= rules["longer"]["failures_high"]
    )
    step = _next(months, rules["steps"], shorter=False)
    if rare and may_be_longer and step != months:
        return Proposal(Change.LONGER, step)
    return Proposal(Change.KEEP, months)


def _next(months: int, steps: list[int], *, shorter: bool) -> int:
    if shorter:
        return max((step for step in steps if step < months), default=months)
    return min((step for step in steps if step > months), default=months)
