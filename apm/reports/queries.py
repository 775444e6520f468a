"""Reading printed reports."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.reports.model import IssuedReport
from apm.work.completion import record_hash
from apm.work.model import WorkOrder
from apm.work.queries import work_order


@dataclass(frozen=True, slots=True)
class Verified:
    """A sheet held against the record."""

    report: IssuedReport
    order: WorkOrder
    is_as_printed: bool
    """Whether the record is still what the sheet was printed from."""


def reports_of(ctx: Context, order: WorkOrder) -> list[IssuedReport]:
    """Return what was printed of an order, newest first."""
    query = select(IssuedReport).where(IssuedReport.work_order_id == order.id)
    return list(ctx.session.scalars(query.order_by(IssuedReport.id.desc())))


def report_by_code(ctx: Context, code: str) -> IssuedReport:
    """Return one printed report, or raise `NotFound`."""
    found = ctx.session.scalar(select(IssuedReport).where(IssuedReport.code == code))
    if found is None:
        raise NotFound(_l("There is no such report. Print it again from its work order."))
    return found


def verified(ctx: Context, code: str) -> Verified:
    """Hold a sheet against the record as it is now."""
    report = report_by_code(ctx, code)
    no = ctx.session.scalars(
        select(WorkOrder.no).where(WorkOrder.id == report.work_order_id)
    ).one()
    order = work_order(ctx, no)
    return Verified(report, order, record_hash(order) == report.record_hash)
