"""A year of a 300-bed hospital's maintenance is replayed, and counted beside the program.

A seeded generator decides what becomes of every due date before anything runs.  The days are
then lived through with the worker running; at the end the program's figures must be those that
follow from the decisions alone.  A part of the devices serves for every run; all 1,200 are
replayed by `APM_REPLAY_TIMES=20 make test T=tests/apm/test_maintenance_year.py` in some minutes.
"""

from __future__ import annotations

import os
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select

from apm.assets.commands import create_asset
from apm.assets.model import Asset, AssetState
from apm.core.command import Context
from apm.maintenance.commands import add_plan
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.settling import settle
from apm.maintenance.visits import excuse
from apm.maintenance.wishes import Excuse
from apm.procedures.model import Verdict
from apm.reports.compliance import Span, compliance
from apm.risk.evidence import evidence_by_category
from apm.work.model import WorkOrder, WorkStep
from apm.work.states import WorkState

TIMES = int(os.environ.get("APM_REPLAY_TIMES", "1"))
PARK = (("INFP", 6, 24), ("MON", 12, 18), ("VENT", 3, 8), ("DEFIB", 6, 10))
"""Category, months between two dates, devices: a twentieth of those that 300 beds have."""
CHECKLIST = "US"
"""The shortest there is serves for all: what is counted does not depend on it."""
WINDOW = timedelta(days=14)
BEGIN, END = date(2026, 11, 20), date(2028, 1, 20)
DONE = {"in_time", "late"}
WARDS = ("ICU", "Emergency", "Surgery")
COUNTED_AS = {
    "leaves": "held", "called_off": "missed", "before_use": "in_time", "late_before_use": "late",
}  # fmt: skip
FATES = ("in_time", "in_time", "in_time", "late", "ignored", "called_off", "in_use", "not_located")


@dataclass(frozen=True)
class Deed:
    """What happens to one due date, on which day."""

    day: date
    device: str
    due: date
    fate: str
    has_fault: bool = False


def dates_of(anchor: date, months: int) -> list[date]:
    """The due dates from the anchor to the end, by plain counting."""
    found, k = [], 0
    while True:
        year, month = divmod(anchor.month - 1 + k * months, 12)
        year += anchor.year
        due = date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))
        if due - WINDOW > END:
            return found
        found.append(due)
        k += 1


def decided(rng: Random, device: str, dues: list[date], months: int) -> list[Deed]:
    """The fates of one device's dates.

    A standby swallows one and ends once the next is open; or it ends before, and what has passed
    meanwhile is due before use: within a week of the return, or it is late.
    """
    deeds, k = [], 0
    while k < len(dues):
        due = dues[k]
        if months < 12 and k + 1 < len(dues) and rng.random() < 0.08:
            deeds.append(Deed(due - WINDOW - timedelta(days=5), device, due, "leaves"))
            back = dues[k + 1] - WINDOW + timedelta(days=1)
            deeds.append(Deed(back, device, dues[k + 1], "returns"))
            deeds.append(Deed(back + timedelta(days=2), device, dues[k + 1], "in_time"))
            k += 2
            continue
        if rng.random() < 0.12:
            deeds += away_over_the_last_day(rng, device, due)
            k += 1
            continue
        fate = rng.choice(FATES)
        offset = {"in_time": rng.randrange(-13, 14), "late": rng.randrange(15, 40)}.get(fate, 0)
        deeds.append(
            Deed(due + timedelta(days=offset), device, due, fate, has_fault=rng.random() < 0.2)
        )
        k += 1
    return deeds


def away_over_the_last_day(rng: Random, device: str, due: date) -> list[Deed]:
    """The work is open when the equipment leaves; it is back well before the next is."""
    back = due + WINDOW + timedelta(days=rng.randrange(1, 20))
    fate, days = rng.choice([
        ("before_use", rng.randrange(0, 8)), ("before_use", -1), ("late_before_use", 9),
        ("ignored", 0),
    ])  # fmt: skip
    return [
        Deed(due + timedelta(days=rng.randrange(-12, 14)), device, due, "leaves"),
        Deed(back, device, due, "returns"),
        Deed(back + timedelta(days=days), device, due, fate),
    ]


def tally(dues: list[date], deeds: list[Deed]) -> Counter[str]:
    """What must be counted for one device in 2027, from the decisions alone."""
    fates = {deed.due: deed for deed in deeds if deed.fate != "returns"}
    back = {deed.due: deed.day for deed in deeds if deed.fate == "returns"}
    found: Counter[str] = Counter()
    for k, due in enumerate(dues):
        if due.year != 2027:
            continue
        deed = fates[due]
        has_next = k + 1 < len(dues) and dues[k + 1] - WINDOW <= END
        kind = "ignored" if deed.day > END else COUNTED_AS.get(deed.fate, deed.fate)
        last_day = max(due + WINDOW, back.get(due, due) + timedelta(days=7))
        if kind == "ignored" and due + WINDOW < END < back.get(due, END):
            kind = "held"
        if kind == "ignored":
            kind = "missed" if has_next else "overdue" if last_day < END else "pending"
        found[kind] += 1
    return found


class Life:
    """The hospital as it lives through the year."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.day = BEGIN
        ctx.now = lambda: datetime(self.day.year, self.day.month, self.day.day, 4, tzinfo=UTC)

    def open_one(self, deed: Deed) -> tuple[Occurrence, WorkOrder]:
        query = (
            select(Occurrence, WorkOrder)
            .join(WorkOrder, WorkOrder.id == Occurrence.work_order_id)
            .join(Plan, Plan.id == Occurrence.plan_id)
            .join(Asset, Asset.id == Plan.asset_id)
            .where(Asset.number == deed.device, Occurrence.due == deed.due)
            .where(Occurrence.state == OccurrenceState.OPEN)
        )
        occurrence, order = self.ctx.session.execute(query).one()
        return occurrence, order

    def do(self, deed: Deed) -> None:
        if deed.fate in {"leaves", "returns"}:
            self.move(deed)
        elif deed.fate in {"in_use", "not_located"}:
            occurrence, _order = self.open_one(deed)
            reason = Excuse(deed.fate)
            excuse(self.ctx, occurrence_id=occurrence.id, reason=reason, note="ward book")
        elif deed.fate != "ignored":
            self.finish(deed)

    def move(self, deed: Deed) -> None:
        state = AssetState.STANDBY if deed.fate == "leaves" else AssetState.IN_SERVICE
        with self.ctx.writing("test.move"):
            query = select(Asset).where(Asset.number == deed.device)
            self.ctx.session.scalars(query).one().lifecycle = state
        generate_due(self.ctx)

    def finish(self, deed: Deed) -> None:
        _occurrence, order = self.open_one(deed)
        with self.ctx.writing("test.work"):
            if deed.fate == "called_off":
                order.state = WorkState.CANCELLED
            else:
                order.state, order.done_at = WorkState.CLOSED, self.ctx.now()
            if deed.has_fault:
                query = select(WorkStep).where(WorkStep.work_order_id == order.id).limit(1)
                self.ctx.session.scalars(query).one().verdict = Verdict.FAIL
        settle(self.ctx, work_order_id=order.id)


@pytest.fixture
def year(as_):
    """The year, lived through: the context at its end, the dates and the deeds by device."""
    rng, life = Random(300), Life(as_("system"))
    dues: dict[str, list[date]] = {}
    deeds: list[Deed] = []
    for category, months, n in PARK:
        for k in range(n * TIMES):
            number = f"{category}-{k}"
            asset = create_asset(
                life.ctx, number=number, name=category, category=category,
                department=WARDS[k % len(WARDS)],
            )  # fmt: skip
            anchor = date(2027, 1, 1) + timedelta(days=rng.randrange(28 * months))
            rhythm = Rhythm(PlanMode.FIXED, months, anchor, 14, 14)
            add_plan(life.ctx, asset=asset.code, template=CHECKLIST, rhythm=rhythm)
            dues[number] = dates_of(anchor, months)
            deeds += decided(rng, number, dues[number], months)
    by_day: dict[date, list[Deed]] = {}
    for deed in deeds:
        by_day.setdefault(deed.day, []).append(deed)
    while life.day <= END:
        today = by_day.get(life.day, ())
        if today or life.day.weekday() == 0 or life.day == END:
            generate_due(life.ctx)
        for deed in today:
            life.do(deed)
        life.day += timedelta(days=1)
    life.day = END
    return life.ctx, dues, deeds


def test_the_years_figures_are_those_of_an_independent_count(year):
    ctx, dues, deeds = year
    of_device = {number: [d for d in deeds if d.device == number] for number in dues}
    expected: Counter[str] = Counter()
    for number, dates in dues.items():
        expected += tally(dates, of_device[number])

    found = compliance(ctx, Span(2027))
    total, wards = found.total, found.rows

    kinds = ("in_time", "late", "missed", "overdue", "pending", "in_use", "not_located", "held")
    assert {kind: getattr(total, kind) for kind in kinds} == {k: expected[k] for k in kinds}
    assert all(expected[kind] for kind in kinds if kind != "pending")  # each has happened
    assert sum(expected.values()) == sum(d.year == 2027 for dates in dues.values() for d in dates)
    judged = sum(expected[kind] for kind in ("in_time", "late", "missed", "overdue"))
    assert total.share == expected["in_time"] / judged
    assert len(wards) == len(WARDS)
    months = [compliance(ctx, Span(2027, month)).total for month in range(1, 13)]
    assert sum(month.in_time for month in months) == expected["in_time"]

    done = [d for d in deeds if COUNTED_AS.get(d.fate, d.fate) in DONE and d.day <= END]
    for category, evidence in evidence_by_category(ctx).items():
        mine = [d for d in done if d.device.startswith(category + "-")]
        assert evidence.completed == len(mine)
        assert evidence.found == sum(d.has_fault for d in mine)
    assert sum(d.has_fault for d in done) > 5
