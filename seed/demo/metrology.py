"""Metrology: certificates of what the law has verified, and the instruments of the workshop."""

from __future__ import annotations

from datetime import date, timedelta

from apm.core.command import Context
from apm.metrology.blocking import settle
from apm.metrology.certificates import Issued, record_certificate
from apm.metrology.instruments import Details, add_instrument, calibrate
from apm.metrology.model import AppliedPart, Instrument, Method, ProtectionClass, Result
from apm.metrology.naming import note_use
from apm.metrology.safety import describe_safety
from apm.procedures.model import StepKind
from apm.work.model import WorkOrder
from seed.demo.diary import Act, Diary
from seed.demo.working import steps_of
from seed.demo.world import ZONE, Unit, World, clock_time

VERIFIED = ("MON", "ECG")
BODY = "省计量科学研究院 / Provincial Institute of Metrology"
YEAR = timedelta(days=364)
NAMED = timedelta(days=45)
"""Since when technicians name what they measure with."""
SAFETY = "ESA612"
TOOLS = {
    "DEFIB": "Impulse 7000DP", "VENT": "PF-300", "ANES": "PF-300",
    "MON": "ProSim 8", "ECG": "ProSim 8", "INFP": "Multi-Flo", "SYRP": "Multi-Flo",
}  # fmt: skip
"""What the checklist of a category is measured with, besides electrical safety."""
OVERDUE, SOON = 17, 6
"""One unit in so many is overdue, and one in so many due soon."""
INSTRUMENTS = (
    ("Electrical safety analyser", "电气安全分析仪", "Fluke", "ESA612", "4471023", 120),
    ("Defibrillator analyser", "除颤分析仪", "Fluke", "Impulse 7000DP", "3920117", 210),
    ("Gas flow analyser", "气流分析仪", "IMT", "PF-300", "BB0812", 35),
    ("Patient simulator", "患者模拟器", "Fluke", "ProSim 8", "4102266", 300),
    ("Infusion device analyser", "输液设备分析仪", "Rigel", "Multi-Flo", "18H-0032", -9),
)
"""Name, Chinese name, maker, model, serial number, days its calibration still holds."""


def note_metrology(world: World, diary: Diary) -> None:
    """Write certificates, instruments and classes of protection into the diary."""
    for number, unit in enumerate(u for kind in VERIFIED for u in world.of(kind)):
        _note_verification(world, diary, unit, number)
    for row in INSTRUMENTS:
        _note_instrument(world, diary, row)
    for number, unit in enumerate(world.of("MON")[:12]):
        at = max(unit.registered_at, world.began) + timedelta(days=3, minutes=number)
        diary.note(at, world.people["wang"].actor, "safety.describe", _describing(unit))


def _note_verification(world: World, diary: Diary, unit: Unit, number: int) -> None:
    left = world.rng.randint(70, 350)
    if number % OVERDUE == OVERDUE - 1 and not unit.is_busy:
        left = -world.rng.randint(5, 40)
    elif number % SOON == SOON - 1:
        left = world.rng.randint(5, 55)
    until = world.today + timedelta(days=left)
    issued = until - YEAR
    # Before the unit was here it had no certificate of this hospital.
    while clock_time(issued, 10) > unit.registered_at:
        _note_certificate(world, diary, unit, issued, f"{issued:%Y%m%d}-{number + 1:03d}")
        issued -= YEAR
    ran_out = clock_time(until, 24.4)
    if max(ran_out, unit.registered_at) < world.now:
        diary.note(ran_out, world.system, "verification.settle", _settling(unit))


def _note_certificate(world: World, diary: Diary, unit: Unit, issued: date, number: str) -> None:
    said = Issued(f"JL-{number}", BODY, issued, Result.PASS, issued + YEAR)
    at = clock_time(issued, 10) + timedelta(days=2, minutes=world.rng.uniform(0, 200))
    if at >= world.now:
        at = world.now - timedelta(hours=1)

    def record(ctx: Context) -> None:
        record_certificate(ctx, asset=unit.code, issued=said)

    diary.note(at, world.people["wang"].actor, "certificate.record", record)


def _settling(unit: Unit) -> Act:
    def block(ctx: Context) -> None:
        settle(ctx, asset_id=unit.row.id)

    return block


def _note_instrument(world: World, diary: Diary, row: tuple[str, str, str, str, str, int]) -> None:
    name, name_zh, maker, model, serial, left = row
    until = world.today + timedelta(days=left)
    details = Details(name, serial, name_zh, maker, model)
    good = Issued(f"CAL-{serial}", BODY, until - YEAR, Result.PASS, until)

    def add(ctx: Context) -> None:
        made = add_instrument(ctx, details=details)
        calibrate(ctx, instrument_id=made.id, issued=good)
        world.instruments[model] = made.id

    at = clock_time(until - YEAR, 15) + timedelta(days=1)
    diary.note(at, world.people["wang"].actor, "instrument.add", add)


def name_tools(ctx: Context, world: World, order: WorkOrder) -> None:
    """Note what the values of an order were measured with, as far as its calibration held."""
    measured = [step.key for step in steps_of(ctx, order) if step.kind is StepKind.MEASURE]
    if ctx.now() < world.now - NAMED or not measured:
        return
    today = ctx.now().astimezone(ZONE).date()
    for model in filter(None, (TOOLS.get(order.template_code or ""), SAFETY)):
        instrument = ctx.session.get(Instrument, world.instruments.get(model, 0))
        if instrument and instrument.calibrated_until and today <= instrument.calibrated_until:
            note_use(ctx, order, instrument, measured[:1] if model == SAFETY else measured, today)


def _describing(unit: Unit) -> Act:
    def describe(ctx: Context) -> None:
        describe_safety(
            ctx,
            asset=unit.code,
            protection=ProtectionClass.I,
            parts=[AppliedPart.CF],
            method=Method.DIRECT,
        )

    return describe
