"""Test instruments: what is known of them, their calibration, and what it holds for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from apm.accounts.queries import hospital_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.core.permissions import Permission
from apm.metrology.certificates import Issued, new_certificate, newest, read_file, strike
from apm.metrology.events import InstrumentDue, InstrumentOutOfTolerance
from apm.metrology.lights import Light, light_of_instrument
from apm.metrology.model import Certificate, Instrument, InstrumentUse, Result
from apm.vendors.documents import Document
from apm.work.model import WorkOrder

TOLD = frozenset({Light.FAILED, Light.OVERDUE, Light.SOON})


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of an instrument."""

    name: str
    serial: str
    name_zh: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    asset_id: int | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """One work order that was measured with an instrument."""

    order: WorkOrder
    uses: list[InstrumentUse]


@command("instrument.add", Permission.METROLOGY_EDIT)
def add_instrument(ctx: Context, *, details: Details) -> Instrument:
    """Add a test instrument; it may sign nothing off until a calibration is on record.

    Raises:
        Invalid: another one has this serial number.
    """
    _refuse_taken(ctx, details.serial)
    made = Instrument(is_active=True)
    _put(made, details)
    ctx.session.add(made)
    ctx.session.flush()
    return made


@command("instrument.change", Permission.METROLOGY_EDIT)
def change_instrument(
    ctx: Context, *, instrument_id: int, details: Details, is_active: bool = True
) -> Instrument:
    """Correct what is known of an instrument, or take it out of use.

    Raises:
        NotFound: no such instrument.
        Invalid: another one has this serial number.
    """
    found = instrument_to_change(ctx, instrument_id)
    if details.serial != found.serial:
        _refuse_taken(ctx, details.serial)
    _put(found, details)
    found.is_active = is_active
    return found


def _put(instrument: Instrument, details: Details) -> None:
    instrument.name, instrument.name_zh = details.name, details.name_zh
    instrument.manufacturer, instrument.model = details.manufacturer, details.model
    instrument.serial, instrument.asset_id = details.serial, details.asset_id


def _refuse_taken(ctx: Context, serial: str) -> None:
    if instrument_by_serial(ctx, serial) is not None:
        message = _l("Another instrument has this serial number. Look for it in the list.")
        raise Invalid(message, fields={"serial": [message]}, code="serial_taken")


def calibrate(
    ctx: Context, *, instrument_id: int, issued: Issued, data: bytes = b""
) -> Certificate:
    """Record a calibration.  A failed one says that the instrument was out of tolerance.

    Raises:
        NotFound: no such instrument.
        Conflict: the certificate is on record.
        Invalid: days that cannot be, or a file that is none.
    """
    return _calibrate(ctx, instrument_id=instrument_id, issued=issued, document=read_file(data))


@command("instrument.calibrate", Permission.METROLOGY_EDIT)
def _calibrate(
    ctx: Context, *, instrument_id: int, issued: Issued, document: Document | None
) -> Certificate:
    """Keep a calibration; of a failed one, say how many records it touches."""
    instrument = instrument_to_change(ctx, instrument_id)
    if any(known.number == issued.number for known in instrument.certificates):
        raise Conflict(
            _l("This certificate is on record already. Look at the list below."), code="known"
        )
    certificate = new_certificate(ctx, issued, document)
    certificate.instrument_id = instrument.id
    ctx.session.add(certificate)
    ctx.session.flush()
    _take_over(ctx, instrument)
    if issued.result is Result.FAIL:
        ctx.session.expire(instrument, ["certificates"])
        fresh = instrument_by_id(ctx, instrument.id)
        touched = len(affected_by(ctx, fresh, certificate))
        ctx.emit(InstrumentOutOfTolerance(instrument.id, instrument.serial, touched))
    return certificate


@command("instrument.withdraw_calibration", Permission.METROLOGY_EDIT)
def withdraw_calibration(ctx: Context, *, certificate_id: int, reason: str) -> Certificate:
    """Take back a calibration that was recorded wrongly; it stays on record, struck through."""
    query = select(Certificate).where(
        Certificate.id == certificate_id, Certificate.instrument_id.is_not(None)
    )
    certificate = ctx.session.scalar(query)
    if certificate is None or certificate.instrument_id is None:
        raise NotFound(_l("There is no such certificate. Look at the list of the equipment."))
    instrument = instrument_to_change(ctx, certificate.instrument_id)
    strike(ctx, certificate, reason)
    _take_over(ctx, instrument)
    return certificate


@command("instrument.remind", Permission.SYSTEM_RUN)
def remind(ctx: Context, *, instrument_id: int) -> None:
    """Say once that a calibration is due soon, overdue or failed."""
    instrument = instrument_to_change(ctx, instrument_id)
    now = light_of_instrument(instrument, hospital_day(ctx))
    until = instrument.calibrated_until.isoformat() if instrument.calibrated_until else None
    said = _said(instrument, hospital_day(ctx))
    if said and said != instrument.told_of:
        ctx.emit(InstrumentDue(instrument.id, instrument.serial, now.value, until))
    instrument.told_of = said


def instruments_to_remind(ctx: Context) -> list[int]:
    """Return the ids of the instruments in use about which something is to be said."""
    today = hospital_day(ctx)
    query = select(Instrument).where(Instrument.is_active).order_by(Instrument.id)
    found = ctx.session.scalars(query)
    return [one.id for one in found if _said(one, today) != one.told_of]


def _said(instrument: Instrument, today: date) -> str | None:
    now = light_of_instrument(instrument, today)
    return f"{now.value} {instrument.calibrated_until}" if now in TOLD else None


def _take_over(ctx: Context, instrument: Instrument) -> None:
    query = select(Certificate).where(Certificate.instrument_id == instrument.id)
    last = newest(list(ctx.session.scalars(query)))
    instrument.result = last.result if last else None
    instrument.calibrated_until = last.valid_until if last else None


def instrument_page(
    ctx: Context, *, after: str | None = None, limit: int = 50
) -> Page[Instrument]:
    """Return the instruments, those in use by name; certificates are not loaded."""
    query = select(Instrument)
    by = [Instrument.name, Instrument.id]
    return page_of(ctx.session, query, by=by, after=after, limit=limit)


def active_instruments(ctx: Context) -> list[Instrument]:
    """Return the instruments in use, by name."""
    query = select(Instrument).where(Instrument.is_active)
    return list(ctx.session.scalars(query.order_by(Instrument.name, Instrument.id)))


def instrument_by_serial(ctx: Context, serial: str) -> Instrument | None:
    """Return the instrument with this serial number, None if there is none."""
    return ctx.session.scalar(select(Instrument).where(Instrument.serial == serial.strip()))


def instrument_by_id(ctx: Context, instrument_id: int) -> Instrument:
    """Return an instrument with its certificates, or raise `NotFound`."""
    query = (
        select(Instrument)
        .where(Instrument.id == instrument_id)
        .options(selectinload(Instrument.certificates), joinedload(Instrument.asset))
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such instrument. Look for it in the list."))
    return found


def instrument_to_change(ctx: Context, instrument_id: int) -> Instrument:
    """Return an instrument with its certificates, fresh and locked, or raise `NotFound`."""
    query = (
        select(Instrument)
        .where(Instrument.id == instrument_id)
        .options(selectinload(Instrument.certificates))
        .with_for_update(of=Instrument)
        .execution_options(populate_existing=True)
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such instrument. Look for it in the list."))
    return found


def was_calibrated(certificates: Sequence[Certificate], day: date) -> bool:
    """Tell whether a calibration held on `day`; a failure ends what stood before it."""
    standing = [c for c in certificates if c.is_in_force and c.issued_on <= day]
    last = max(standing, key=lambda c: (c.issued_on, c.id), default=None)
    return last is not None and last.result is not Result.FAIL and day <= last.valid_until


def uses_of(ctx: Context, instrument: Instrument) -> list[Used]:
    """Return the work orders measured with an instrument, the latest first."""
    query = (
        select(InstrumentUse)
        .where(InstrumentUse.instrument_id == instrument.id)
        .options(joinedload(InstrumentUse.work_order).joinedload(WorkOrder.asset))
        .order_by(InstrumentUse.used_on.desc(), InstrumentUse.id.desc())
    )
    found: dict[int, Used] = {}
    for use in ctx.session.scalars(query):
        found.setdefault(use.work_order_id, Used(use.work_order, [])).uses.append(use)
    return list(found.values())


def doubtful_since(certificates: Sequence[Certificate], failed: Certificate) -> date | None:
    """Return the day of the last good calibration before a failed one; None: there is none."""
    before = [
        c.issued_on
        for c in certificates
        if c.is_in_force and c.result is not Result.FAIL and c.issued_on < failed.issued_on
    ]
    return max(before, default=None)


def affected_by(ctx: Context, instrument: Instrument, failed: Certificate) -> list[Used]:
    """Return the work measured since the last good calibration before a failed one.

    On its very day too: nobody knows whether the work came before or after it.
    """
    since = doubtful_since(instrument.certificates, failed) or date.min
    return [
        used
        for used in uses_of(ctx, instrument)
        if any(since <= use.used_on <= failed.issued_on for use in used.uses)
    ]
