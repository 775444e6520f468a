"""The manager's figures, each recomputed here by plain loops over the same random history."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from statsmodels.stats.proportion import proportion_confint

from apm.analytics.kpis import Status, analyse
from apm.analytics.period import period_of
from apm.analytics.queries import By, hospital_period
from apm.assets.commands import create_asset
from apm.assets.model import Asset, AssetState, Location
from apm.core.errors import Invalid
from apm.core.permissions import Permission
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.work.model import Cost, WorkOrder
from apm.work.states import CostKind, WorkState, WorkType
from predict.proportion import wilson
from predict.reliability import mtbf

pytestmark = pytest.mark.database
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
FIRST, LAST = date(2026, 3, 1), date(2026, 8, 31)
START = datetime(2026, 3, 1, tzinfo=ZONE).astimezone(UTC)
END = datetime(2026, 9, 1, tzinfo=ZONE).astimezone(UTC)
OPERATING = {
    AssetState.IN_SERVICE, AssetState.ON_LOAN, AssetState.UNDER_REPAIR, AssetState.QUARANTINED,
}  # fmt: skip
DEPARTMENTS = ["ICU", "ER", None]
CATEGORIES = ["VENT", "INFP"]


class History:
    """Assets, orders and occurrences as plain rows, and the same in the database."""

    def __init__(self, ctx, seed: int, assets: int = 12, orders: int = 120) -> None:
        self.random = Random(seed)
        self.ctx = ctx
        self.assets = [self._asset(n) for n in range(assets)]
        self.orders: list[WorkOrder] = []
        self.costs: list[Cost] = []
        self.occurrences: list[tuple[Asset, Occurrence]] = []
        with ctx.writing("test.history"):
            for n in range(orders):
                self._order(n)
            for n, asset in enumerate(self.assets):
                self._plan(n, asset)

    def _asset(self, n: int) -> Asset:
        pick = self.random.choice
        since = pick([None, date(2020, 1, 1), date(2026, 5, 17)])
        return create_asset(
            self.ctx,
            number=f"A-{n}",
            name=f"Asset {n}",
            category=pick(CATEGORIES),
            department=pick(DEPARTMENTS),
            in_service_on=since,
            purchased_on=pick([None, date(2026, 7, 1)]),
            lifecycle=pick([*OPERATING, AssetState.STANDBY, AssetState.RETIRED]),
        )

    def _instant(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
            seconds=self.random.randrange(320 * 86400)
        )

    def _order(self, n: int) -> None:
        pick, began = self.random.choice, self._instant()
        down = timedelta(hours=self.random.randrange(1, 900))
        order = WorkOrder(
            no=f"WO-{n}",
            type=pick([*WorkType, WorkType.CORRECTIVE, WorkType.CORRECTIVE]),
            asset_id=pick([*self.assets, None]) and pick(self.assets).id,
            title="x",
            state=pick([*WorkState, WorkState.CLOSED, WorkState.CLOSED]),
            cause_code=pick([None, "BATT", "NPF", "UPF"]),
            created_at=began,
            closed_at=self._instant(),
            down_from=pick([None, began, began + timedelta(hours=3)]),
            down_until=pick([None, began + down, began + down]),
        )
        self.ctx.session.add(order)
        self.ctx.session.flush()
        self.orders.append(order)
        for _ in range(self.random.randrange(4)):
            cost = Cost(
                work_order_id=order.id,
                kind=pick(list(CostKind)),
                amount=self.random.randrange(1, 10**7),
                currency=pick(["CNY", "CNY", "USD"]),
            )
            self.ctx.session.add(cost)
            self.costs.append(cost)

    def _plan(self, n: int, asset: Asset) -> None:
        plan = Plan(
            asset_id=asset.id, template_code="VENT", mode=PlanMode.FIXED, interval_months=1,
            anchor=date(2026, 1, 31), next_due=date(2027, 1, 31),
        )  # fmt: skip
        self.ctx.session.add(plan)
        self.ctx.session.flush()
        for seq in range(1, 14):
            due = date(2026, 1, 1) + timedelta(days=self.random.randrange(325))
            occurrence = Occurrence(
                plan_id=plan.id,
                seq=seq,
                due=due,
                opens=due,
                late_after=due + timedelta(days=7),
                why="calendar",
                state=self.random.choice(list(OccurrenceState)),
                is_extra=seq == 13,
            )
            if occurrence.state is OccurrenceState.DONE:
                occurrence.done_on = due + timedelta(days=self.random.randrange(-5, 16))
            self.ctx.session.add(occurrence)
            self.occurrences.append((asset, occurrence))


def spell(order: WorkOrder) -> tuple[datetime, datetime]:
    return max(order.down_from, START), min(order.down_until or END, END)


def union_hours(spells: list[tuple[datetime, datetime]]) -> float:
    """Cut time at every start and stop, and ask of each piece whether any spell covers it."""
    cuts = sorted({instant for pair in spells for instant in pair})
    covered = timedelta()
    for left, right in pairwise(cuts):
        if any(start <= left and right <= stop for start, stop in spells):
            covered += right - left
    return covered.total_seconds() / 3600


def expected_of(history: History, of: set[int]) -> dict:
    """Recompute all figures for the assets numbered `of`; None among them: orders without one."""
    assets = {a.id: a for a in history.assets if a.id in of}
    orders = [o for o in history.orders if o.asset_id in of]
    repairs = [o for o in orders if o.type is WorkType.CORRECTIVE]
    closed = {o.id for o in repairs if o.state is WorkState.CLOSED and START <= o.closed_at < END}
    failed = [
        o
        for o in repairs
        if o.state is not WorkState.CANCELLED
        and o.cause_code != "NPF"
        and START <= (o.down_from or o.created_at) < END
    ]
    down = [
        o
        for o in orders
        if o.asset_id and o.down_from and o.state is not WorkState.CANCELLED
        and o.down_from < END and (o.down_until is None or o.down_until > START)
    ]  # fmt: skip
    operating = {a.id for a in assets.values() if a.lifecycle in OPERATING}
    hours = down_hours = operating_down = 0.0
    for asset in assets.values():
        lost = union_hours([spell(o) for o in down if o.asset_id == asset.id])
        down_hours += lost
        if asset.id in operating:
            operating_down += lost
            since = asset.in_service_on or asset.purchased_on
            begin = datetime(since.year, since.month, since.day, tzinfo=ZONE) if since else START
            hours += max(0.0, (END - max(begin.astimezone(UTC), START)).total_seconds() / 3600)
    due = [
        o
        for a, o in history.occurrences
        if a.id in of
        and FIRST <= o.due <= LAST
        and not o.is_extra
        and o.state not in {OccurrenceState.CANCELLED, OccurrenceState.EXCUSED}
    ]
    return {
        "cost": sum(
            c.amount for c in history.costs if c.work_order_id in closed and c.currency == "CNY"
        ),
        "closed": len(closed),
        "failures": len(failed),
        "failures_operating": sum(o.asset_id in operating for o in failed),
        "down": down_hours,
        "spells": len(down),
        "hours": hours - operating_down,
        "due": len(due),
        "in_time": sum(bool(o.done_on and o.done_on <= o.late_after) for o in due),
    }


def check(line, want: dict) -> None:
    assert (line.repair_cost.value, line.repair_cost.n) == (want["cost"], want["closed"])
    assert isinstance(line.repair_cost.value, int)
    assert line.failures.value == want["failures"]
    assert line.downtime.value == pytest.approx(want["down"], abs=1e-4)
    assert line.downtime.n == want["spells"]
    assert line.mtbf.n == want["failures_operating"]
    if want["failures_operating"] >= 3 and want["hours"] > 0:
        right = mtbf(want["hours"], want["failures_operating"], 0.9)
        assert line.mtbf.value == pytest.approx(right.value, rel=1e-6)
        assert line.mtbf.interval == pytest.approx((right.low, right.high), rel=1e-6)
    else:
        assert (line.mtbf.value, line.mtbf.status) == (None, Status.TOO_FEW)
    assert line.pm_completion.n == want["due"]  # every last day has passed by now
    assert line.pm_pending == 0
    if want["due"]:
        assert line.pm_completion.value == pytest.approx(want["in_time"] / want["due"])
        limits = proportion_confint(want["in_time"], want["due"], alpha=0.1, method="wilson")
        assert line.pm_completion.interval == pytest.approx(limits)


@pytest.fixture
def north(as_):
    def make(seed: int) -> History:
        History(as_("qin", now=lambda: NOW), seed + 1)  # noise: South has a history, too
        return History(as_("wang", now=lambda: NOW), seed)

    return make


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("by", list(By))
def test_the_figures_are_those_of_plain_loops(as_, north, seed, by):
    history = north(seed)
    ctx = as_("zhao", now=lambda: NOW)
    found = analyse(ctx, by=by, period=hospital_period(ctx, first=FIRST, last=LAST))

    groups: dict = {}
    for asset in history.assets:
        key = asset.department_id if by is By.DEPARTMENT else asset.category
        groups.setdefault(key, set()).add(asset.id)
    groups.setdefault(None, set()).add(None)  # work on no asset
    for line in found.lines:
        check(line, expected_of(history, groups.pop(line.key)))
    for quiet in groups.values():
        assert not any(expected_of(history, quiet).values())
    check(found.total, expected_of(history, {a.id for a in history.assets} | {None}))


def test_work_in_a_room_counts_for_the_rooms_department(as_):
    ctx = as_("wang", now=lambda: NOW)
    asset = create_asset(
        ctx, number="A", name="A", category="VENT", department="ICU", location="Room 1"
    )
    with ctx.writing("test"):
        room = ctx.session.get(Location, asset.location_id)
        assert room.department_id == asset.department_id
        order = WorkOrder(
            no="WO-1", type=WorkType.CORRECTIVE, location_id=room.id, title="x",
            created_at=NOW - timedelta(days=3), closed_at=NOW - timedelta(days=1),
            state=WorkState.CLOSED,
        )  # fmt: skip
        ctx.session.add(order)
        ctx.session.flush()
        ctx.session.add(
            Cost(work_order_id=order.id, kind=CostKind.VENDOR, amount=990, currency="CNY")
        )
    [line] = analyse(ctx, by=By.DEPARTMENT, period=hospital_period(ctx)).lines
    assert (line.key, line.repair_cost.value, line.failures.value) == (room.department_id, 990, 1)
    assert line.mtbf.n == 0  # no equipment failed


def test_the_dearest_come_first(as_, north):
    north(5)
    ctx = as_("zhao", now=lambda: NOW)
    found = analyse(ctx, by=By.DEPARTMENT, period=hospital_period(ctx))
    costs = [line.repair_cost.value for line in found.lines]
    assert costs == sorted(costs, reverse=True)


def test_an_open_downtime_ends_now_and_not_in_the_future(as_):
    ctx = as_("wang", now=lambda: NOW)
    asset = create_asset(ctx, number="A", name="A", category="VENT")
    with ctx.writing("test"):
        ctx.session.add(
            WorkOrder(
                no="WO-1", type=WorkType.CORRECTIVE, asset_id=asset.id, title="x",
                created_at=NOW, down_from=NOW - timedelta(hours=5),
            )
        )  # fmt: skip
    period = hospital_period(ctx, first=date(2026, 11, 1), last=date(2026, 12, 31))
    found = analyse(ctx, by=By.CATEGORY, period=period)
    assert found.total.downtime.value == pytest.approx(5.0)


def test_maintenance_whose_last_day_is_to_come_is_not_judged(as_):
    ctx = as_("wang", now=lambda: NOW)
    asset = create_asset(ctx, number="A", name="A", category="VENT")
    today = NOW.astimezone(ZONE).date()
    with ctx.writing("test"):
        plan = Plan(
            asset_id=asset.id, template_code="VENT", interval_months=1, anchor=today,
            next_due=today,
        )  # fmt: skip
        ctx.session.add(plan)
        ctx.session.flush()
        for seq, days in enumerate([-1, 0, 1], start=1):
            late_after = today + timedelta(days=days)
            ctx.session.add(
                Occurrence(
                    plan_id=plan.id, seq=seq, due=today - timedelta(days=5), opens=today,
                    late_after=late_after, why="calendar",
                )
            )  # fmt: skip
    total = analyse(ctx, by=By.CATEGORY, period=hospital_period(ctx)).total
    assert (total.pm_completion.n, total.pm_completion.value, total.pm_pending) == (1, 0.0, 2)


@pytest.mark.parametrize(("n", "shown"), [(0, False), (1, False), (2, False), (3, True)])
def test_no_mean_from_too_few_failures(as_, n, shown):
    ctx = as_("wang", now=lambda: NOW)
    asset = create_asset(ctx, number="A", name="A", category="VENT")
    with ctx.writing("test"):
        for k in range(n):
            ctx.session.add(
                WorkOrder(
                    no=f"WO-{k}", type=WorkType.CORRECTIVE, asset_id=asset.id, title="x",
                    created_at=NOW - timedelta(days=9),
                )
            )  # fmt: skip
    kpi = analyse(ctx, by=By.CATEGORY, period=hospital_period(ctx)).total.mtbf
    assert (kpi.value is not None, kpi.status is Status.OK) == (shown, shown)
    low, high = kpi.interval
    assert low > 0
    assert (high is None) == (n == 0)


def test_an_empty_hospital_has_no_figures(as_):
    ctx = as_("zhao")
    found = analyse(ctx, by=By.DEPARTMENT, period=hospital_period(ctx))
    assert found.lines == []
    assert found.total.repair_cost.value == 0
    assert found.total.mtbf.interval is None


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        (None, date(2025, 11, 23), date(2026, 11, 22)),
        ("3m", date(2026, 8, 23), date(2026, 11, 22)),
        ("year", date(2026, 1, 1), date(2026, 11, 22)),
        ("last_year", date(2025, 1, 1), date(2025, 12, 31)),
        ("nonsense", date(2025, 11, 23), date(2026, 11, 22)),
    ],
)
def test_periods_by_name(as_, preset, first, last):
    period = hospital_period(as_("zhao", now=lambda: NOW), preset=preset)
    assert (period.first, period.last) == (first, last)


def test_the_day_is_the_hospitals():
    late = datetime(2026, 11, 22, 17, tzinfo=UTC)  # already the 23rd in Shanghai
    period = period_of(first=None, last=None, preset="year", zone="Asia/Shanghai", now=late)
    assert period.last == period.today == date(2026, 11, 23)
    assert period.start == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert period.end == late


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 5, 2), date(2026, 5, 1)),
        (date(2027, 1, 1), None),
        (date(2001, 1, 1), None),
    ],
)
def test_a_period_that_makes_no_sense(as_, first, last):
    with pytest.raises(Invalid) as refusal:
        hospital_period(as_("zhao", now=lambda: NOW), first=first, last=last)
    assert list(refusal.value.fields) == ["from"]


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_the_interval_of_a_share_agrees_with_statsmodels(n):
    for hits in range(n + 1):
        theirs = proportion_confint(hits, n, alpha=0.1, method="wilson")
        assert wilson(hits, n) == pytest.approx(theirs)
        assert 0 <= wilson(hits, n)[0] <= hits / n <= wilson(hits, n)[1] <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_there_is_no_share_of_nothing(hits, n):
    with pytest.raises(ValueError, match="n > 0"):
        wilson(hits, n)


def test_the_permission_is_the_managers_and_the_engineers(as_):
    assert as_("zhao").actor.can(Permission.ANALYTICS_READ)
    assert not as_("chen").actor.can(Permission.ANALYTICS_READ)
