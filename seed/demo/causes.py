"""Causes: past ones that engineers confirmed, and three failures that wait for somebody to decide.

What a device wrote into its log before a past failure is drawn from the table of evidence by the
cause that the story gave the failure: simulated, like everything here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import select

from apm.assets.model import Asset, AssetState, Availability
from apm.attribution.catalogue import life_years
from apm.attribution.commands import collect_evidence, confirm_cause
from apm.attribution.log import add_events
from apm.core.command import Context
from apm.demo.signals import origin_of
from apm.maintenance.model import Occurrence, OccurrenceState, Plan
from apm.work.causes import causes
from predict.cause_table import CAUSES, KINDS, Cause
from seed.demo.diary import Diary
from seed.demo.failures import make_repair
from seed.demo.repairs import Repair, Times
from seed.demo.scenery import Fault, faults
from seed.demo.sensing import TROUBLES
from seed.demo.world import SEED, Unit, World

CONFIRMED = 26
"""Past repairs whose cause was confirmed; each costs a twentieth of a second."""
LOGGED = {
    "user": ("DROP", "DOOR-OPEN", "WRONG-SET"),
    "technical": ("SENSOR-FAIL", "SELFTEST-FAIL", "OVERTEMP"),
    "power": ("UNDERVOLTAGE", "POWER-FAIL"),
}
ALIVE = "BOOT"
"""What every device writes when it is switched on; in no list."""
SEEN = "现场所见与记录一致 / As seen on the spot"
WEARING = ("VENT", "ANES", "HD", "DEFIB", "ESU", "INFP")


@dataclass(slots=True)
class Waiting:
    """A failure for somebody to decide about; `choose` says which unit when the time has come."""

    repair: Repair
    times: Times
    codes: tuple[str, ...]
    choose: Callable[[Context], Unit] | None = None


def note_causes(world: World, diary: Diary) -> None:
    """Write logs, confirmed causes and the three open cases into the diary."""
    rng = Random(SEED + 7)  # noqa: S311  (its own dice: the rest of the story stays as it is)
    for repair, times in _past(world):
        _note_confirmed(world, diary, rng, (repair, times))
    for case in (_hot_room(world), _dropped(world), _worn(world)):
        _note_waiting(world, diary, case)


def _past(world: World) -> list[tuple[Repair, Times]]:
    """Return the newest closed repairs whose story has a cause the table knows."""
    before = world.now - timedelta(days=6)
    known = [
        (repair, times)
        for repair, times in world.repairs
        if times.closed and times.closed < before and _cause(repair.fault) in CAUSES[:-1]
    ]
    return sorted(known, key=lambda pair: pair[1].reported)[-CONFIRMED:]


def _cause(fault: Fault) -> Cause:
    bucket = causes()[fault.cause].bucket
    return Cause(bucket) if bucket in set(Cause) else Cause.UNDETERMINED


def _note_confirmed(world: World, diary: Diary, rng: Random, past: tuple[Repair, Times]) -> None:
    repair, times = past
    cause = _cause(repair.fault)
    levels = KINDS["device_log"].levels
    column = CAUSES.index(cause)
    level = rng.choices(list(levels), [p[column] for p in levels.values()])[0]
    code = rng.choice(LOGGED[level]) if level in LOGGED else None
    hours = rng.uniform(0.2, 6)

    def decide(ctx: Context) -> None:
        _log(ctx, repair.unit, times.reported - timedelta(hours=hours), (code,) if code else ())
        confirm_cause(ctx, no=repair.made.no, cause=cause, reason=SEEN)

    at = (times.closed or times.reported) + timedelta(minutes=50)
    diary.note(at, world.people["wang"].actor, "cause.confirm", decide)


def _log(ctx: Context, unit: Unit, at: datetime, codes: tuple[str, ...]) -> None:
    """Write that a device was switched on the day before, and these codes."""
    began = (at - timedelta(hours=30)).astimezone(UTC)
    lines = [{"asset": unit.code, "at": began, "code": ALIVE, "severity": "info", "text": None}]
    for n, code in enumerate(codes):
        when = (at + timedelta(minutes=7 * n)).astimezone(UTC)
        lines.append(
            {"asset": unit.code, "at": when, "code": code, "severity": "error", "text": None}
        )
    add_events(ctx, lines=lines, source="gateway")


def _note_waiting(world: World, diary: Diary, case: Waiting) -> None:
    """Write one failure that nobody has decided about."""
    repair, times = case.repair, case.times
    wang = world.people["wang"].actor

    def befall(ctx: Context) -> None:
        if case.choose:
            repair.unit = case.choose(ctx)
        _log(ctx, repair.unit, times.reported - timedelta(hours=1), case.codes)

    diary.note(times.reported - timedelta(minutes=1), wang, "device_event.add", befall)
    repair.note(diary, times)
    end = times.closed or times.done or times.started or times.reported
    diary.note(
        end + timedelta(minutes=2),
        world.system,
        "cause.collect",
        lambda ctx: collect_evidence(ctx, no=repair.made.no),
    )


def _times(at: datetime, *, closed: bool) -> Times:
    hour = timedelta(hours=1)
    return Times(
        at, at + 0.3 * hour, at + 0.8 * hour, done=at + 3 * hour if closed else None,
        closed=at + 5 * hour if closed else None,
    )  # fmt: skip


def _case(world: World, unit: Unit, times: Times, is_fit: Callable[[Fault], bool]) -> Repair:
    fault = next(fault for fault in faults(unit.category) if is_fit(fault))
    made = make_repair(world, unit, replace(fault, days=None, vendor=None), times)
    made.has_patient, made.is_out_of_use = False, True
    made.worker, made.closer = world.people["chen"], world.people["wang"]
    return made


def _hot_room(world: World) -> Waiting:
    """A CT stopped while its room was far too warm."""
    trouble = next(t for t in TROUBLES if t.sensor == "CT2-ROOM-T")
    today = datetime.fromtimestamp(origin_of(world.now), UTC)
    at = today - timedelta(days=trouble.days_ago) + timedelta(hours=trouble.hours - 0.8)
    times = _times(at, closed=True)
    unit = world.of("CT", "Radiology")[1]
    return Waiting(_case(world, unit, times, lambda f: f.cause == "ENV"), times, ())


def _dropped(world: World) -> Waiting:
    """A pump whose door does not close any more; its log says why."""
    times = _times(world.now - timedelta(hours=57), closed=True)
    unit = world.of("INFP", "Intensive care")[0]
    case = _case(world, unit, times, lambda f: f.symptom == "broken")
    return Waiting(case, times, ("DROP", "DROP"), lambda ctx: _free(ctx, world, ("INFP",)))


def _worn(world: World) -> Waiting:
    """An old device whose maintenance was missed."""
    times = _times(world.now - timedelta(hours=52), closed=True)
    unit = world.of("VENT", "Intensive care")[3]
    case = _case(world, unit, times, lambda f: f.cause == "PPF")

    def choose(ctx: Context) -> Unit:
        worn = {c: [f for f in faults(c) if f.cause == "PPF"] for c in WEARING}
        chosen = _free(ctx, world, tuple(c for c in WEARING if worn[c]), is_worn=True)
        like = worn[chosen.category]
        case.fault = replace(like[0], days=None, vendor=None, symptom="values", parts=(400, 900))
        case.parts = 62_000
        return chosen

    return Waiting(case, times, ("SENSOR-FAIL", "SELFTEST-FAIL"), choose)


def _free(
    ctx: Context, world: World, categories: tuple[str, ...], *, is_worn: bool = False
) -> Unit:
    """Return a unit that nobody works on; if asked, an old one whose maintenance was missed."""
    units = {
        unit.row.id: unit
        for unit in world.units
        if unit.category in categories and unit.asset and not unit.is_busy
    }
    query = select(Asset.id).where(
        Asset.id.in_(units),
        Asset.lifecycle == AssetState.IN_SERVICE,
        Asset.availability == Availability.UP,
    )
    free = [units[i] for i in ctx.session.scalars(query.order_by(Asset.in_service_on))]
    if not is_worn:
        return free[-1]
    old = [u for u in free if (world.today - u.in_service).days > 365.25 * life_years(u.category)]
    dates = (
        select(Plan.asset_id, Occurrence.state)
        .join(Occurrence, Occurrence.plan_id == Plan.id)
        .where(Plan.asset_id.in_(units), Occurrence.late_after < world.today)
        .order_by(Occurrence.due)
    )
    last = dict(ctx.session.execute(dates).all())  # the newest stays
    undone = {OccurrenceState.MISSED, OccurrenceState.OPEN}
    kept_badly = [unit for unit in old if last.get(unit.row.id) in undone]
    return (kept_badly or old or free)[0]
