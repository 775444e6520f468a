"""What to order now, how much, and why: from minimum stock, use, lead time and what is on its way.

Reorder point = use until delivery + safety stock: m L + z s sqrt(L), with m and s the forecast
use a month and its spread, L the lead time in months, z = 1.645 for a service level of 95 %.  The
minimum somebody set counts where it is higher.  Proposed is what is missing up to the reorder
point and one month's use more, so that the same part is not proposed again next day.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.exporting import guarded
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.labels import label
from apm.parts.model import DIVISIBLE, DemandForecast, Part
from apm.parts.quantities import MILLI, cost_of, plain
from apm.parts.queries import Standing, standings
from predict.demand import ReorderPoint, reorder_point

SERVICE_LEVEL = 0.95
DAYS_A_MONTH = 30.44
ASSUMED_LEAD_DAYS = 30
"""Where nobody said how long the supplier takes."""
MARK = "\ufeff"
"""Without it spreadsheet programs take UTF-8 for something else."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One part to order; quantities in thousandths of its unit.

    point: None where there is not enough history, then the minimum alone decides.
    """

    part: Part
    standing: Standing
    forecast: DemandForecast | None
    point: ReorderPoint | None
    lead_days: int
    level: int
    quantity: int

    @property
    def position(self) -> int:
        """What is free and what is on its way."""
        return self.standing.available + self.standing.on_order

    @property
    def is_lead_assumed(self) -> bool:
        """Whether nobody said how long the supplier takes."""
        return self.part.lead_days is None

    @property
    def reason(self) -> str:
        """`demand`: below the reorder point that use asks for; `minimum`: below the minimum."""
        is_by_demand = self.point is not None and self.point.level >= self.part.minimum_milli
        return "demand" if is_by_demand else "minimum"

    @property
    def cost(self) -> int | None:
        """What it will cost in fen, None without a price."""
        return None if self.part.price is None else cost_of(self.part.price, self.quantity)


def proposals(ctx: Context) -> list[Proposal]:
    """Return what to order, by supplier and number; always five statements."""
    query = select(Part).where(Part.is_active.is_(True)).options(joinedload(Part.supplier))
    parts = list(ctx.session.scalars(query.order_by(Part.number)))
    known = {row.part_id: row for row in ctx.session.scalars(select(DemandForecast))}
    stand = standings(ctx, [part.id for part in parts])
    found = [assess(part, stand[part.id], known.get(part.id)) for part in parts]
    wanted = [each for each in found if each.quantity > 0]
    return sorted(wanted, key=lambda each: each.part.supplier.name if each.part.supplier else "")


def assess(part: Part, standing: Standing, forecast: DemandForecast | None) -> Proposal:
    """Return when to order a part and how much now; a quantity of 0 means nothing."""
    lead_days = ASSUMED_LEAD_DAYS if part.lead_days is None else part.lead_days
    point, mean = None, 0.0
    if forecast is not None and forecast.mean_milli is not None:
        mean = forecast.mean_milli
        point = reorder_point(
            mean,
            forecast.spread_milli or 0.0,
            lead_periods=lead_days / DAYS_A_MONTH,
            service_level=SERVICE_LEVEL,
        )
    level = max(part.minimum_milli, _whole(part, point.level) if point else 0)
    position = standing.available + standing.on_order
    quantity = _whole(part, level + mean - position) if position < level else 0
    return Proposal(part, standing, forecast, point, lead_days, level, quantity)


def _whole(part: Part, milli: float) -> int:
    """Round up to what can be ordered: whole pieces, or thousandths of a metre."""
    step = 1 if part.unit in DIVISIBLE else MILLI
    return ceil(round(milli / step, 6)) * step


def csv_of(found: list[Proposal]) -> str:
    """Return a proposal as CSV in the language spoken; cells cannot act as formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        [
            _("Part number"), _("Name"), _("Supplier"), _("Order"), _("Unit"), _("Price"),
            _("Currency"), _("Available"), _("On order"), _("Minimum"), _("Reorder point"),
            _("Use a month"), _("Months"), _("Lead time, days"), _("Why"),
        ]
    )  # fmt: skip
    for each in found:
        writer.writerow(_cells(each))
    return MARK + out.getvalue()


def _cells(each: Proposal) -> list[str]:
    part, forecast = each.part, each.forecast
    supplier = choose(part.supplier.name, part.supplier.name_zh) if part.supplier else ""
    mean = forecast.mean_milli if forecast else None
    return [
        guarded(part.number),
        guarded(choose(part.name, part.name_zh)),
        guarded(supplier),
        plain(each.quantity),
        label("unit", part.unit.value),
        "" if part.price is None else f"{part.price / 100:.2f}",
        part.currency,
        plain(each.standing.available),
        plain(each.standing.on_order),
        plain(part.minimum_milli),
        plain(each.level),
        "" if mean is None else f"{mean / MILLI:.2f}",
        str(forecast.months if forecast else 0),
        str(each.lead_days),
        label("reorder", each.reason),
    ]
