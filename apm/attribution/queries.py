"""Reading what the evidence says of a repair, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from apm.attribution.finding import Failure, failure_of
from apm.attribution.model import Attribution, CauseDecision
from apm.attribution.proposing import Assessment, assess, kept_again
from apm.core.command import Context
from apm.work.causes import causes
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from predict.cause import Change, what_would_change
from predict.cause_table import VERSION, Cause

CODES = {
    Cause.ENVIRONMENT: "ENV",
    Cause.USER: "USE",
    Cause.WEAR: "PPF",
    Cause.QUALITY: "UPF",
    Cause.SERVICE: "SIF",
}
"""The failure code a cause is closed with, unless a closer one is named."""
OPEN_BUCKETS = frozenset({"accessory", "network", "none", "undetermined"})
"""Codes that say what failed, not why: they agree with any cause."""


@dataclass(frozen=True, slots=True)
class CauseView:
    """All there is to say about the cause of one failure."""

    failure: Failure
    row: Attribution | None
    assessment: Assessment
    decisions: list[CauseDecision]
    changes: tuple[Change, ...]

    @property
    def is_frozen(self) -> bool:
        """Whether the evidence stands as it was when the order was closed."""
        return self.row is not None and self.row.frozen_at is not None

    @property
    def decided(self) -> CauseDecision | None:
        """What counts."""
        return self.decisions[-1] if self.decisions else None


def cause_of(ctx: Context, no: str) -> CauseView:
    """Return the evidence of a repair: as it was frozen, else as the records stand now.

    Raises:
        NotFound: no such order here, or no repair of equipment.
    """
    failure = failure_of(work_order(ctx, no))
    row = attribution_of(ctx, failure.order)
    is_frozen = row is not None and row.frozen_at is not None
    assessment = kept_again(row) if row is not None and is_frozen else assess(ctx, failure)
    changes: tuple[Change, ...] = ()
    if assessment.proposal.version == VERSION:  # with another table the question has no sense
        changes = what_would_change(assessment.seen, assessment.priors)
    return CauseView(failure, row, assessment, decisions_of(ctx, failure.order), changes)


def attribution_of(ctx: Context, order: WorkOrder) -> Attribution | None:
    """Return what is kept of one repair."""
    query = select(Attribution).where(Attribution.work_order_id == order.id)
    return ctx.session.scalar(query.execution_options(populate_existing=True))


def decisions_of(ctx: Context, order: WorkOrder) -> list[CauseDecision]:
    """Return what was decided about one repair, oldest first."""
    query = select(CauseDecision).where(CauseDecision.work_order_id == order.id)
    return list(ctx.session.scalars(query.order_by(CauseDecision.id)))


def agrees(code: str | None, cause: Cause) -> bool:
    """Tell whether a failure code and a cause can both be true."""
    known = causes().get(code or "")
    return known is not None and (
        known.bucket in OPEN_BUCKETS or cause is Cause.UNDETERMINED or known.bucket == cause.value
    )
