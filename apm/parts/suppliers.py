"""How well suppliers deliver: in time, and without anything to object to.

A delivery is faultless when nothing of it was rejected and its lot was never set aside.  It is
counted by delivery, not by piece: pieces and litres cannot be added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.parts.model import Quarantine, Receipt
from apm.vendors.model import Vendor

LEAST = 3
"""Fewer deliveries say nothing about a supplier."""
SPAN = timedelta(days=730)


@dataclass(slots=True)
class Score:
    """A supplier's deliveries in two years.

    promised: those for which a day was promised; days_late: of each of these, negative if early.
    """

    vendor: Vendor
    n: int = 0
    days_late: list[int] = field(default_factory=list)
    rejected: int = 0
    quarantined: int = 0
    faulty: int = 0

    @property
    def promised(self) -> int:
        """How many deliveries were promised for a day."""
        return len(self.days_late)

    @property
    def in_time(self) -> float | None:
        """The share of promised deliveries that kept the day, None if they are too few."""
        if self.promised < LEAST:
            return None
        return sum(days <= 0 for days in self.days_late) / self.promised

    @property
    def median_days_late(self) -> float | None:
        """The middle of the days late, None if they are too few."""
        return None if self.promised < LEAST else float(median(self.days_late))

    @property
    def faultless(self) -> float | None:
        """The share of deliveries without fault, None if they are too few."""
        return None if self.n < LEAST else 1 - self.faulty / self.n


def scores(ctx: Context) -> list[Score]:
    """Return the score of every vendor who delivered, by name; always two statements."""
    since = hospital_day(ctx) - SPAN
    was_set_aside = (
        select(Quarantine.id)
        .where(Quarantine.lot_id == Receipt.lot_id)
        .correlate(Receipt)
        .exists()
    )
    query = select(
        Vendor.id,
        Receipt.promised_on,
        Receipt.received_on,
        Receipt.rejected_milli > 0,
        was_set_aside,
    ).join(Vendor, Vendor.id == Receipt.vendor_id)
    query = query.where(Receipt.received_on >= since)
    vendors = {row.id: row for row in ctx.session.scalars(select(Vendor).order_by(Vendor.name))}
    found: dict[int, Score] = {}
    for vendor_id, promised, received, is_rejected, is_aside in ctx.session.execute(query):
        score = found.setdefault(vendor_id, Score(vendors[vendor_id]))
        _count(score, promised, received, is_rejected=is_rejected, is_aside=is_aside)
    return [found[vendor_id] for vendor_id in vendors if vendor_id in found]


def _count(
    score: Score, promised: date | None, received: date, *, is_rejected: bool, is_aside: bool
) -> None:
    score.n += 1
    score.rejected += bool(is_rejected)
    score.quarantined += bool(is_aside)
    score.faulty += bool(is_rejected or is_aside)
    if promised is not None:
        score.days_late.append((received - promised).days)
