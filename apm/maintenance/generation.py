"""How due dates become occurrences and work orders; run by the worker, safe to repeat.

Of a plan's due dates whose window is open only the newest gets work.  Older ones were never
started: they are recorded as missed, or as excused where the asset was out of use, so that the
record has no gaps.  Triggers (`maintenance.triggers`) compete with the calendar: whatever is due
first opens the work, and all that speak for it are kept with the occurrence.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from apm.assets.model import GONE, AssetState
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.maintenance import reasons
from apm.maintenance.due import Window, window
from apm.maintenance.holds import mark
from apm.maintenance.merging import absorb, host_for, join
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode, PlanTrigger
from apm.maintenance.queries import plan_for_writing
from apm.maintenance.returning import come_back
from apm.maintenance.rounds import Round, begin_round
from apm.maintenance.settling import settle
from apm.maintenance.triggers import due_triggers
from apm.maintenance.withdrawal import UNSTARTED, give_up
from apm.work.model import WorkOrder
from apm.work.opening import NewWork
from apm.work.states import WorkType

__all__ = ["generate", "generate_many", "note_problem", "settle"]


@command("maintenance.generate", Permission.SYSTEM_RUN)
def generate(ctx: Context, *, plan_id: int) -> Occurrence | None:
    """Do what a plan asks for today; return the occurrence that got a work order, if any did."""
    made = _look_after_all(begin_round(ctx, [plan_id]))
    return made[0] if made else None


@command("maintenance.generate_many", Permission.SYSTEM_RUN)
def generate_many(ctx: Context, *, plan_ids: Collection[int]) -> int:
    """Do what several plans ask for today, all or nothing; return how many got a work order."""
    return len(_look_after_all(begin_round(ctx, plan_ids)))


@command("maintenance.note_problem", Permission.SYSTEM_RUN)
def note_problem(ctx: Context, *, plan_id: int, problem: str) -> None:
    """Keep why a plan could not be worked on, for the list of plans; the next run tries again."""
    plan = plan_for_writing(ctx, plan_id)
    if plan is not None:
        plan.problem = problem[:500]


def _look_after_all(work: Round) -> list[Occurrence]:
    made = [_look_after(work, plan) for plan in work.plans if plan.is_active]
    work.end()
    return [occurrence for occurrence in made if occurrence is not None]


def _look_after(work: Round, plan: Plan) -> Occurrence | None:
    if plan.asset.lifecycle in GONE:
        plan.is_active = False
        end_open(work, plan, "retired")
        return None
    if plan.asset.lifecycle is not AssetState.IN_SERVICE:
        plan.held_why = plan.asset.lifecycle.value
        plan.held_since = plan.held_since or work.today
        return None
    hold = come_back(work, plan)
    if hold is not None:
        work.back[plan.id] = hold
    made = _serve(work, plan)
    plan.problem = None
    return made


def _serve(work: Round, plan: Plan) -> Occurrence | None:
    frames = open_dates(plan, work.today)
    fired = due_triggers(plan, work.today)
    current = work.open.get(plan.id)
    if current is not None and (not frames or not _gives_way(work, plan, current)):
        add_reasons(work, current, [trigger for trigger in fired if trigger.fired_seq is None])
        _record_held(work, plan, frames)
        return None
    if not frames:
        return _early(work, plan, fired) if fired else None
    host = _make_room(work, plan, current)
    passed = [_record_passed(work, plan, frame) for frame in frames[:-1]]
    owed = [one for one in (current, *passed) if one is not None and one.outcome == "held"]
    why = [_calendar_reason(work, plan, frames[-1], owed)]
    return record(work, plan, frames[-1], (why, fired), host=host)


def _calendar_reason(
    work: Round, plan: Plan, frame: Window, owed: list[Occurrence]
) -> reasons.Reason:
    """Return why a date is due: by the calendar; before use if it or one before it was held."""
    hold = work.back.get(plan.id)
    since = [one.held_since for one in owed if one.held_since is not None]
    if hold is not None and hold.touches(frame.due, frame.late_after):
        since.append(hold.since)
    if since:
        return reasons.before_use(min(since), work.today)
    return reasons.of_calendar(plan, frame.due)


def _record_held(work: Round, plan: Plan, frames: list[Window]) -> None:
    """Record what a hold swallowed while work that had begun before it stood still.

    That work is what the equipment owes now; the dates in between need none of their own.
    """
    hold = work.back.get(plan.id)
    passed = [frame for frame in frames if frame.late_after < work.today]
    if hold is None or plan.mode is not PlanMode.FIXED or not passed:
        return
    if hold.covers(passed[-1].late_after):
        for frame in passed:
            _record_passed(work, plan, frame)


def _early(work: Round, plan: Plan, fired: list[PlanTrigger]) -> Occurrence:
    """Open work that a trigger asks for before the calendar does."""
    due = min(trigger.due_on or work.today for trigger in fired)
    return visit(work, plan, due, ([], fired))


def visit(
    work: Round, plan: Plan, due: date, why: tuple[list[reasons.Reason], list[PlanTrigger]]
) -> Occurrence:
    """Open work before the calendar asks for it.

    In the window of a fixed date it is that date's; earlier it is an extra visit, and the fixed
    dates stay.  A floating plan just begins its next round earlier.
    """
    frame = window(due, early_days=0, grace_days=plan.grace_days)
    frame = Window(min(work.today, due), frame.due, frame.late_after)
    if plan.mode is PlanMode.FLOATING or not plan.interval:
        return record(work, plan, frame, why)
    coming = frame_of(plan, plan.next_due)
    if due < coming.opens:
        return record(work, plan, frame, why, is_extra=True)
    told, fired = why
    whole = Window(min(work.today, coming.opens), coming.due, coming.late_after)
    return record(work, plan, whole, ([*told, reasons.of_calendar(plan, coming.due)], fired))


def add_reasons(work: Round, occurrence: Occurrence, fired: list[PlanTrigger]) -> None:
    """Note that more speaks for work that is open already; it is due when the first is."""
    if not fired:
        return
    added = [reasons.of_trigger(trigger) for trigger in fired]
    occurrence.reasons = reasons.earliest_first([*(occurrence.reasons or ()), *added])
    for trigger in fired:
        trigger.fired_seq = occurrence.seq
    order = work.order_of(occurrence)
    first = min(trigger.due_on or work.today for trigger in fired)
    if order is not None and (order.due_on is None or first < order.due_on):
        order.due_on = first


def open_dates(plan: Plan, today: date) -> list[Window]:
    """Return the windows that have opened since the last run, oldest first."""
    found: list[Window] = []
    due = plan.next_due
    while plan.interval and (frame := frame_of(plan, due)).is_open(today):
        found.append(frame)
        if plan.mode is PlanMode.FLOATING:
            break  # the date after this depends on when this one is done
        due = plan.interval.following(plan.anchor, due)
    return found


def frame_of(plan: Plan, due: date) -> Window:
    """Return the window of a plan around a due date."""
    return window(due, early_days=plan.early_days, grace_days=plan.grace_days)


def _gives_way(work: Round, plan: Plan, current: Occurrence) -> bool:
    """Tell whether the open occurrence may make room: dates are fixed, and nobody has begun."""
    order = work.order_of(current)
    return plan.mode is PlanMode.FIXED and (order is None or order.state in UNSTARTED)


def _make_room(work: Round, plan: Plan, current: Occurrence | None) -> WorkOrder | None:
    """Give up the open occurrence; an extra visit hands its order on to the date that has come."""
    if current is None:
        return None
    del work.open[plan.id]
    if not current.is_extra:
        give_up(work, current, "superseded")
        return None
    current.state, current.outcome = OccurrenceState.CANCELLED, "merged"
    return work.order_of(current)


def end_open(work: Round, plan: Plan, outcome: str) -> None:
    """Close the open occurrence of a plan that ends, unless work on it has begun."""
    current = work.open.get(plan.id)
    if current is None:
        return
    order = work.order_of(current)
    if order is None or order.state in UNSTARTED:
        give_up(work, current, outcome)


def _record_passed(work: Round, plan: Plan, frame: Window) -> Occurrence:
    made = _add(work, plan, frame, [reasons.of_calendar(plan, frame.due)])
    give_up(work, made, "superseded")
    return made


def record(
    work: Round,
    plan: Plan,
    frame: Window,
    why: tuple[list[reasons.Reason], list[PlanTrigger]],
    *,
    host: WorkOrder | None = None,
    is_extra: bool = False,
) -> Occurrence:
    """Add the next occurrence and the work order that will tick it: open work, or a new one."""
    told, fired = why
    told = reasons.earliest_first([*told, *(reasons.of_trigger(trigger) for trigger in fired)])
    occurrence = _add(work, plan, frame, told, is_extra=is_extra)
    for trigger in fired:
        trigger.fired_seq = occurrence.seq
    found = host or host_for(work, plan, frame)
    if found is not None:
        join(found, occurrence)
    else:
        order = _order_for(work, plan, occurrence)
        occurrence.work_order_id = order.id
        absorb(work, plan, order, frame)
    work.open[plan.id] = occurrence
    return occurrence


def _add(
    work: Round,
    plan: Plan,
    frame: Window,
    told: list[reasons.Reason],
    *,
    is_extra: bool = False,
) -> Occurrence:
    occurrence = Occurrence(
        plan_id=plan.id,
        plan=plan,
        seq=plan.next_seq,
        due=frame.due,
        opens=frame.opens,
        late_after=frame.late_after,
        state=OccurrenceState.OPEN,
        is_extra=is_extra,
        why=told[0]["trigger"],
        reasons=told,
    )
    hold = work.back.get(plan.id)
    if hold is not None:
        mark(occurrence, hold, plan.grace_days)
    work.ctx.session.add(occurrence)
    plan.next_seq += 1
    if not is_extra:
        plan.next_due = _following(plan, frame.due)
    return occurrence


def _following(plan: Plan, due: date) -> date:
    if plan.mode is PlanMode.FIXED:
        return plan.interval.following(plan.anchor, due)
    return plan.interval.after(due)  # until the completion says better


def _order_for(work: Round, plan: Plan, occurrence: Occurrence) -> WorkOrder:
    chosen = work.template(plan.template_code)
    first = min(date.fromisoformat(r["due"]) for r in occurrence.reasons or [] if r["due"])
    frame = Window(occurrence.opens, occurrence.due, occurrence.late_after)
    wanted = NewWork(
        type=WorkType.PREVENTIVE,
        title=f"Maintenance: {chosen.en}",
        title_zh=f"维护保养：{chosen.zh}",
        asset=plan.asset,
        origin=f"occurrence:{plan.id}:{occurrence.seq}",
        template_code=chosen.code,
        due_on=work.workdays.within(frame, max(first, frame.opens)),
        late_after=occurrence.late_after,
    )
    return work.open_order(wanted, chosen)
