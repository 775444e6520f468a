"""Years of random events, and what must be true after each: see docs/maintenance.md.

Hypothesis drives a hospital in a time zone with daylight saving: days pass, the worker runs,
sleeps for weeks or runs twice, the clock is set back, work is done, cancelled, returned, excused,
credited, equipment goes on standby and returns, plans change, meters run.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select

from apm.accounts.model import Hospital
from apm.accounts.queries import system_actor
from apm.assets.commands import create_asset
from apm.assets.model import GONE, Asset, AssetState
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.errors import Conflict
from apm.maintenance.commands import add_plan, change_plan
from apm.maintenance.due import NEVER
from apm.maintenance.jobs import generate_due, watch_triggers
from apm.maintenance.metering import read_meter
from apm.maintenance.model import (
    MeterKind,
    Occurrence,
    OccurrenceState,
    Plan,
    PlanMode,
    TriggerKind,
)
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.settling import settle
from apm.maintenance.visits import credit, excuse, visit_now
from apm.maintenance.wishes import Excuse, Said, Wanted
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkState

S = OccurrenceState
ZONE = "America/New_York"
BEGIN = datetime(2026, 1, 30, 15, tzinfo=UTC)
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A year takes a second: what fails is told as it was found, not after an hour of shrinking."""
UNSTARTED = {WorkState.PLANNED, WorkState.ASSIGNED}


def rhythms() -> st.SearchStrategy[Rhythm]:
    def make(
        mode: PlanMode, months: int, days: int, anchor: int, share: tuple[int, int]
    ) -> Rhythm:
        months, days = (months, 0) if months else (0, days)
        length = 28 * months or days
        early, grace = (min(s * length // 20, 60) for s in share)
        return Rhythm(mode, months, BEGIN.date() + timedelta(days=anchor), early, grace, days)

    return st.builds(
        make,
        st.sampled_from(PlanMode),
        st.sampled_from([1, 0, 1, 3, 6]),
        st.sampled_from([10, 30, 91]),
        # From 30 January: the 31st, the 30th, 31 March as often as any other day.
        st.one_of(st.sampled_from([1, 0, 60]), st.integers(0, 60)),
        st.tuples(st.integers(0, 9), st.integers(0, 9)),
    )


def local(at: datetime) -> date:
    """The day on the hospital's wall, worked out without the program."""
    return at.astimezone(ZoneInfo(ZONE)).date()


def counted(anchor: date, plan: Plan, k: int) -> date:
    """Due date number `k` of a plan, worked out without the program."""
    if plan.interval_days:
        return anchor + timedelta(days=k * plan.interval_days)
    years, month = divmod(anchor.month - 1 + k * plan.interval_months, 12)
    first_of_next = date(anchor.year + years + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last_day = (first_of_next - timedelta(days=1)).day
    return date(anchor.year + years, month + 1, min(anchor.day, last_day))


def number_of(plan: Plan, due: date) -> int:
    """Which due date of a fixed plan this is; fails if it is none."""
    about = (due - plan.anchor).days // (plan.interval_days or 31 * plan.interval_months)
    near = range(max(0, about - 2), about + 30)
    found = [k for k in near if counted(plan.anchor, plan, k) == due]
    assert len(found) == 1, f"{due} is no due date of {plan.anchor}"
    return found[0]


class Hospitals(RuleBasedStateMachine):
    """One asset with a fixed plan, a floating one, and one by its meter, too."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "t.db"
        path.write_bytes(self.template.read_bytes())
        self.engine = make_engine(f"sqlite:///{path}")
        event.listen(self.engine, "connect", lambda c, _r: c.execute("PRAGMA synchronous=OFF"))
        self.session = make_sessions(self.engine)()
        self.now = BEGIN
        self.meter = 0.0
        self.same_since: dict[int, int] = {}
        """The first occurrence of each plan since its rhythm was changed."""
        self.held_from: date | None = None
        """Since when the worker has seen the asset out of use."""
        self.holds: list[tuple[date, date]] = []
        """The times out of use the worker has seen, from the first day to that of the return."""
        self.frozen: dict[int, tuple[date, date]] = {}
        with make_sessions(self.engine)() as first:
            first.info["actor"] = system_actor(None)
            self.home = first.scalars(select(Hospital.id).order_by(Hospital.id)).first()
        self.ctx = Context(self.session, system_actor(self.home), lambda: self.now)
        with self.ctx.writing("test.zone"):
            self.session.get(Hospital, self.home).timezone = ZONE

    def teardown(self) -> None:
        self.session.close()
        self.engine.dispose()
        self.folder.cleanup()

    @property
    def today(self) -> date:
        return local(self.now)

    @initialize(fixed=rhythms(), floating=rhythms(), early=st.integers(0, 14))
    def plan(self, fixed: Rhythm, floating: Rhythm, early: int) -> None:
        self.asset = create_asset(self.ctx, number="V-1", name="Vent", category="VENT").code
        by_meter = Wanted(TriggerKind.METER, meter=MeterKind.HOURS, every=400.0)
        wanted = [
            ("VENT", fixed, []),
            ("MON", floating, []),
            ("DEFIB", Rhythm(PlanMode.FIXED, 12, fixed.anchor, early, 14), [by_meter]),
        ]
        for template, rhythm, triggers in wanted:
            add_plan(
                self.ctx, asset=self.asset, template=template, rhythm=rhythm, triggers=triggers
            )

    # --- what happens -------------------------------------------------------------------------

    @rule(days=st.integers(1, 45), hours=st.integers(0, 23), sleeps=st.sampled_from([0, 0, 1]))
    def time_passes(self, days: int, hours: int, sleeps: int) -> None:
        self.now += timedelta(days=days, hours=hours)
        if not sleeps:
            self.worker_runs()

    @rule(days=st.integers(1, 20))
    def clock_is_set_back(self, days: int) -> None:
        self.now -= timedelta(days=days)

    def worker_runs(self) -> None:
        before, windows = self.day_of_records(), self.windows()
        watch_triggers(self.ctx)
        generate_due(self.ctx)
        after = self.day_of_records()
        self.nothing_that_opened_is_left_out()
        self.what_is_back_is_due_before_use(before, windows)
        assert {k: v for k, v in after.items() if v[0] is S.DONE} == {
            k: v for k, v in before.items() if v[0] is S.DONE
        }  # done never becomes missed
        windows = self.windows()
        assert generate_due(self.ctx) == 0
        assert watch_triggers(self.ctx) == 0
        assert self.day_of_records() == after  # and running again changes nothing
        assert self.windows() == windows

    def nothing_that_opened_is_left_out(self) -> None:
        """Every window that has opened is on record, unless work before it has begun."""
        if self.lifecycle() is not AssetState.IN_SERVICE:
            return
        for plan in self.plans():
            open_ones = [o for o in self.of(plan) if o.state is S.OPEN]
            if not any(self.order_of(o).state not in UNSTARTED for o in open_ones) and not (
                open_ones and plan.mode is PlanMode.FLOATING
            ):
                assert plan.next_due - timedelta(days=plan.early_days) > self.today
                for one in open_ones:
                    early = timedelta(days=plan.early_days)
                    assert one.is_extra or one.opens <= one.due - early or self.is_old(plan, one)

    def what_is_back_is_due_before_use(self, before: dict, windows: dict) -> None:
        """Count anew what the time out of use does, from the days the worker saw."""
        back = None
        if self.lifecycle() is not AssetState.IN_SERVICE:
            self.held_from = self.held_from or self.today
        elif self.held_from is not None:
            back = (min(self.held_from, self.today), self.today)
            self.holds.append(back)
            self.held_from = None
        for plan in self.plans():
            for one in self.of(plan):
                is_news = before.get(one.id, (S.OPEN,))[0] is S.OPEN
                if is_news and one.state is S.OPEN:
                    self.has_its_days_before_use(plan, one, windows.get(one.id), back)
                if is_news and one.outcome == "superseded" and not self.is_old(plan, one):
                    assert one.late_after < self.today, "missed before it was late"
                    assert one.held_until or not self.was_out_on(one.window_end or one.late_after)
                if one.outcome == "held" and one.decided_by is None:
                    assert self.was_out_on(one.due) or self.was_out_on(one.late_after)
                    assert one.held_since < one.held_until

    def has_its_days_before_use(
        self, plan: Plan, one: Occurrence, known: tuple | None, back: tuple | None
    ) -> None:
        grace = timedelta(days=plan.grace_days)
        last = known[2] if known else one.due + grace
        if known is None and self.is_old(plan, one):
            return
        if back and any(back[0] <= day < back[1] for day in (one.due, last)):
            assert (one.held_since, one.held_until) == back
            assert one.late_after == max(last, back[1] + min(grace, timedelta(days=7)))
        else:
            assert one.late_after == last

    def was_out_on(self, day: date) -> bool:
        return any(first <= day < end for first, end in self.holds)

    def windows(self) -> dict:
        """What is frozen of each date, and its last day in time; fails if the former moves."""
        found = {o.id: (o.due, o.opens, o.late_after) for p in self.plans() for o in self.of(p)}
        for k, (due, opens, _late) in found.items():
            assert self.frozen.setdefault(k, (due, opens)) == (due, opens)
        return found

    @rule(usage=st.floats(0, 300))
    def meter_is_read(self, usage: float) -> None:
        self.meter += usage
        try:
            read_meter(self.ctx, said=Said(self.asset, MeterKind.HOURS, self.meter))
        except Conflict:
            pass
        except Exception as error:  # the clock was set back: a later reading says less
            if type(error).__name__ != "Invalid":
                raise
            self.meter -= usage

    @rule(n=st.integers(0, 5))
    def work_begins(self, n: int) -> None:
        self.move(n, UNSTARTED, WorkState.IN_PROGRESS)

    @rule(n=st.integers(0, 5), closed=st.booleans())
    def work_is_done(self, n: int, closed: bool) -> None:
        windows = self.windows()
        order = self.move(
            n, OPEN_WORK - {WorkState.DONE}, WorkState.CLOSED if closed else WorkState.DONE
        )
        if order:
            found = self.occurrences(order)
            assert all(o.state is S.DONE for o in found if o.outcome is None)
            assert all(o.done_on == self.today for o in found if o.state is S.DONE)
            for one in found:
                plan = self.session.get(Plan, one.plan_id)
                last = windows.get(one.id, (0, 0, one.late_after))[2]
                was_out = self.held_from is not None and self.held_from <= last
                if one.state is S.DONE:  # out of use until then: nobody used it without
                    assert one.late_after == (max(last, one.done_on) if was_out else last)
                newest = one.seq == plan.next_seq - 1
                if newest and plan.mode is PlanMode.FLOATING and one.state is S.DONE:
                    assert plan.next_due == counted(one.done_on, plan, 1)

    @rule(n=st.integers(0, 5))
    def work_is_cancelled(self, n: int) -> None:
        self.move(n, OPEN_WORK - {WorkState.DONE}, WorkState.CANCELLED)

    @rule(n=st.integers(0, 5))
    def work_is_returned(self, n: int) -> None:
        self.move(n, {WorkState.DONE}, WorkState.IN_PROGRESS)

    @rule(n=st.integers(0, 5), why=st.sampled_from(Excuse))
    def planner_excuses(self, n: int, why: Excuse) -> None:
        found = self.open_ones()
        if found:
            one = found[n % len(found)]
            try:
                excuse(self.ctx, occurrence_id=one.id, reason=why, note="ward says so")
            except Conflict:
                order = self.order_of(one)
                assert order.state not in UNSTARTED

    @rule(n=st.integers(0, 2))
    def planner_sends_somebody_early(self, n: int) -> None:
        plan = self.plans()[n]
        has_open = any(o.plan_id == plan.id for o in self.open_ones())
        lifecycle = self.session.scalars(select(Asset)).one().lifecycle
        if has_open or not plan.is_active or lifecycle is not AssetState.IN_SERVICE:
            with pytest.raises(Conflict):
                visit_now(self.ctx, plan_id=plan.id, note="fair")
        else:
            visit_now(self.ctx, plan_id=plan.id, note="fair")

    @rule()
    def planner_credits(self) -> None:
        query = select(Occurrence).where(Occurrence.is_extra, Occurrence.state == S.DONE)
        for one in self.session.scalars(query.order_by(Occurrence.id.desc()).limit(1)):
            plan_due = self.session.get(Plan, one.plan_id, populate_existing=True).next_due
            try:
                made = credit(self.ctx, occurrence_id=one.id, note="same work")
            except Conflict:
                continue
            assert (made.due, made.state, made.is_extra) == (plan_due, S.DONE, False)

    @rule(state=st.sampled_from([AssetState.STANDBY, AssetState.UNDER_REPAIR, AssetState.MISSING]))
    def asset_leaves(self, state: AssetState) -> None:
        self.set_lifecycle(state)

    @rule()
    def asset_returns(self) -> None:
        self.set_lifecycle(AssetState.IN_SERVICE)

    @precondition(lambda self: self.now > BEGIN + timedelta(days=700))
    @rule()
    def asset_is_retired(self) -> None:
        self.set_lifecycle(AssetState.RETIRED)

    @rule(n=st.integers(0, 1), rhythm=rhythms())
    def plan_is_changed(self, n: int, rhythm: Rhythm) -> None:
        plan = self.plans()[n]
        if plan.is_active:
            change_plan(self.ctx, plan_id=plan.id, rhythm=rhythm)
            self.same_since[plan.id] = self.plans()[n].next_seq

    # --- what must be true --------------------------------------------------------------------

    @invariant()
    def due_dates_are_without_gap_and_doubles(self) -> None:
        for plan in self.plans():
            mine = [o for o in self.of(plan) if not o.is_extra]
            dues = [o.due for o in mine]
            assert [o.seq for o in self.of(plan)] == list(range(1, plan.next_seq))
            if plan.mode is PlanMode.FIXED:
                assert dues == sorted(set(dues)), "a due date twice, or out of order"
                assert plan.next_due == NEVER or not dues or plan.next_due > dues[-1]

    @invariant()
    def fixed_dates_do_not_drift_and_none_is_skipped(self) -> None:
        for plan in self.plans():
            if plan.mode is not PlanMode.FIXED or plan.next_due == NEVER:
                continue
            mine = [o for o in self.of(plan) if not o.is_extra and not self.is_old(plan, o)]
            numbers = [number_of(plan, due) for due in [*(o.due for o in mine), plan.next_due]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    @invariant()
    def there_is_one_open_date_and_one_open_order(self) -> None:
        for plan in self.plans():
            open_ones = [o for o in self.of(plan) if o.state is S.OPEN]
            orders = {o.work_order_id for o in open_ones}
            started = [o for o in orders if self.session.get(WorkOrder, o).state not in UNSTARTED]
            assert len(orders) <= 1 or len(started) >= len(orders)
            # work that was returned reopens its date beside the newer one
            assert len(open_ones) <= 1 + len(started)
        codes = [
            o.template_code
            for o in self.session.scalars(select(WorkOrder).where(WorkOrder.state.in_(UNSTARTED)))
        ]
        assert len(codes) == len(set(codes)), "two orders nobody has begun for one procedure"

    @invariant()
    def records_are_consistent(self) -> None:
        for plan in self.plans():
            for one in self.of(plan):
                assert one.opens <= one.due <= one.late_after
                if one.state is S.DONE:
                    assert one.done_on is not None
                elif one.outcome != "merged":
                    assert one.done_on is None
                is_plain = one.state in {S.OPEN, S.DONE}
                assert (one.outcome is None) == is_plain or one.outcome == "credited"
                assert one.reasons
                if one.state is S.OPEN:
                    assert self.order_of(one).state in OPEN_WORK
                if one.state is S.EXCUSED:
                    assert one.outcome in {"held", "in_use", "not_located"}

    @invariant()
    def gone_assets_get_nothing(self) -> None:
        asset = self.session.scalars(select(Asset)).first()
        if asset and asset.lifecycle in GONE:
            generate_due(self.ctx)
            assert not any(plan.is_active for plan in self.plans())
            assert all(self.order_of(o).state not in UNSTARTED for o in self.open_ones())

    # --- helps --------------------------------------------------------------------------------

    def is_old(self, plan: Plan, one: Occurrence) -> bool:
        """It was made before the rhythm of its plan was changed."""
        return one.seq < self.same_since.get(plan.id, 0)

    def lifecycle(self) -> AssetState:
        return (
            self.session.scalars(select(Asset).execution_options(populate_existing=True))
            .one()
            .lifecycle
        )

    def plans(self) -> list[Plan]:
        query = select(Plan).order_by(Plan.id).execution_options(populate_existing=True)
        return list(self.session.scalars(query))

    def of(self, plan: Plan) -> list[Occurrence]:
        query = select(Occurrence).where(Occurrence.plan_id == plan.id).order_by(Occurrence.seq)
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def open_ones(self) -> list[Occurrence]:
        return [o for plan in self.plans() for o in self.of(plan) if o.state is S.OPEN]

    def occurrences(self, order: WorkOrder) -> list[Occurrence]:
        query = select(Occurrence).where(Occurrence.work_order_id == order.id)
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def order_of(self, one: Occurrence) -> WorkOrder:
        return self.session.get(WorkOrder, one.work_order_id, populate_existing=True)

    def day_of_records(self) -> dict:
        return {
            o.id: (o.state, o.due, o.outcome, o.work_order_id)
            for p in self.plans()
            for o in self.of(p)
        }

    def move(self, n: int, sources: set[WorkState], target: WorkState) -> WorkOrder | None:
        query = select(WorkOrder).where(WorkOrder.state.in_(sources)).order_by(WorkOrder.id)
        found = list(self.session.scalars(query.execution_options(populate_existing=True)))
        if not found:
            return None
        order = found[n % len(found)]
        with self.ctx.writing("test.work"):
            order.state = target
            order.done_at = self.now if target in {WorkState.DONE, WorkState.CLOSED} else None
        settle(self.ctx, work_order_id=order.id)
        return order

    def set_lifecycle(self, state: AssetState) -> None:
        with self.ctx.writing("test.state"):
            asset = self.session.scalars(select(Asset)).one()
            if asset.lifecycle not in GONE:
                asset.lifecycle = state


def test_years_of_random_events(sqlite_template):
    Hospitals.template = sqlite_template
    run_state_machine_as_test(
        Hospitals,
        settings=settings(
            max_examples=10,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=NO_SHRINKING,
        ),
    )


@given(
    anchor=st.sampled_from([date(2026, 1, 31), date(2026, 1, 30), date(2026, 3, 31)]),
    months=st.sampled_from([1, 2, 3]),
    gaps=st.lists(st.integers(1, 100), min_size=6, max_size=10),
    done=st.lists(st.booleans(), min_size=10, max_size=10),
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING
)
def test_each_month_end_is_on_record_once(sqlite_template, anchor, months, gaps, done):
    """The worker sleeps for weeks, work is done late or never: no date drifts, none is skipped."""
    Hospitals.template = sqlite_template
    world = Hospitals()
    try:
        rhythm = Rhythm(PlanMode.FIXED, months, anchor, 5, 5)
        world.plan(rhythm, Rhythm(PlanMode.FLOATING, 6, anchor, 5, 5), 0)
        for gap, is_done in zip(gaps, done, strict=False):
            world.now += timedelta(days=gap)
            world.worker_runs()
            if is_done:
                world.work_is_done(0, closed=False)
            world.fixed_dates_do_not_drift_and_none_is_skipped()
            world.due_dates_are_without_gap_and_doubles()
        [plan, *_] = world.plans()
        last = number_of(plan, plan.next_due)
        dues = [one.due for one in world.of(plan)]
        assert dues == [counted(anchor, plan, k) for k in range(last)]
        assert plan.next_due - timedelta(days=5) > world.today
    finally:
        world.teardown()
