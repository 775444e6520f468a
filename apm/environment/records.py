"""The temperature and humidity record of a place: for any period, by the day or by the hour.

Order 18 of 2016, article 10, asks whoever stores devices under special conditions to watch and
record temperature and humidity.  The record is a plain document: what is shown, exported and
printed is the same, and what is signed is kept whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.model import User
from apm.accounts.queries import hospital_day, zone_of
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.environment.checks import checks_between, wanted_in
from apm.environment.model import StorageRecord
from apm.environment.places import CLIMATE, COLD_STORES, Place, place_by_code, sensors_in
from apm.environment.reporting import new_sheet_code
from apm.environment.stretches import BUCKET_S, Stretch, at, mkt_window, stretch_of
from apm.environment.wall import Seen
from apm.procedures.documents import digest
from apm.procedures.signing import signer_of
from predict.excursions import seconds_outside

MOST_DAYS = {"day": 366, "hour": 31}
MOST_GAPS = 200
EARLIEST = date(1970, 1, 2)
"""No reading is older, in any zone."""
MEANS = "I have checked this record of temperature and humidity"
"""What the signature means, as it is stored; pages show it in the language spoken."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both inclusive; `grain` is `day` or `hour`."""

    first: date
    last: date
    grain: str = "day"


def period_of(ctx: Context, first: date | None, last: date | None, grain: str) -> Period:
    """Return the period that is wanted; without days the month so far.

    Raises:
        Invalid: it ends before it begins, reaches into the future or is too long for its grain.
    """
    today = hospital_day(ctx)
    end = last or today
    begin = first or end.replace(day=1)
    days = (end - begin).days + 1
    if not 1 <= days <= MOST_DAYS[grain] or end > today or begin < EARLIEST:
        message = _l(
            "Choose days up to today: at most 366 by the day, or 31 by the hour.",
        )
        raise Invalid(message, fields={"from": [message]}, code="bad_period")
    return Period(begin, end, grain)


def record_of(ctx: Context, place: Place, period: Period) -> Document:
    """Return the record of a place: its climate sensors, those on its equipment, its checks."""
    zone = ZoneInfo(zone_of(ctx))
    start = datetime.combine(period.first, time(0), zone).astimezone(UTC)
    end = datetime.combine(period.last + timedelta(days=1), time(0), zone).astimezone(UTC)
    end = min(end, ctx.now())
    sensors = [one for one in sensors_in(ctx, place.location, start) if one.quantity in CLIMATE]
    stretches = [_stretch(ctx, one, start, end) for one in sensors] if start < end else []
    location, known = place.location, place.known
    return {
        "place": {"code": location.code, "en": location.name, "zh": location.name_zh,
                  "floor": known.floor if known else None,
                  "stores": known.stores if known else None},
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "grain": period.grain,
        "zone": str(zone),
        "sensors": [_sensor(one, period, zone) for one in stretches],
        "by_hand": _by_hand(ctx, place, period),
    }  # fmt: skip


def _stretch(ctx: Context, seen: Seen, start: datetime, end: datetime) -> Stretch:
    """Read a sensor for as long as it was in service: afterwards there is no gap in it."""
    return stretch_of(ctx, seen, start, min(end, seen.retired_at or end))


def _sensor(one: Stretch, period: Period, zone: ZoneInfo) -> Document:
    seen, limits = one.seen, one.limits
    holes = one.gaps()
    values = one.values
    return {
        "code": seen.code, "en": seen.name, "zh": seen.name_zh,
        "asset": {"en": seen.asset_name, "zh": seen.asset_name_zh} if seen.asset_code else None,
        "quantity": seen.quantity, "unit": seen.unit,
        "limits": {"low": limits.low, "high": limits.high, "source": limits.source,
                   "to_verify": limits.to_verify} if limits else None,
        "rows": _rows(one, period, zone),
        "n": len(values),
        "low": float(values.min()) if len(values) else None,
        "mean": float(values.mean()) if len(values) else None,
        "high": float(values.max()) if len(values) else None,
        "outside_s": seconds_outside(one.found),
        "gap_s": sum((b - a).total_seconds() for a, b in holes),
        "gap_from_s": one.longest_step,
        "gaps": [[a.isoformat(), b.isoformat()] for a, b in holes[:MOST_GAPS]],
        "excursions": [
            {"side": x.side.value, "start": at(x.start).isoformat(), "end": at(x.end).isoformat(),
             "seconds": x.duration, "extreme": x.extreme, "is_cut": x.is_cut,
             "is_open": x.is_open, "mkt": _mkt(one, x)}
            for x in one.found
        ],
    }  # fmt: skip


def _mkt(one: Stretch, excursion: Any) -> float | None:
    if one.seen.profile not in COLD_STORES or one.seen.quantity != "temperature":
        return None
    return one.mkt(*mkt_window(excursion))


def _rows(one: Stretch, period: Period, zone: ZoneInfo) -> list[list[Any]]:
    """Return a row for each day or hour: when, n, least, mean, most; None where n is 0."""
    step = timedelta(days=1) if period.grain == "day" else timedelta(hours=1)
    begin = datetime.combine(period.first, time(0), zone)
    stop = datetime.combine(period.last + timedelta(days=1), time(0), zone)
    wanted = []
    while begin < stop:  # by the wall's clock: a day is a day also when the clock is changed
        if begin.astimezone(UTC) < one.end:
            wanted.append(begin)
        begin += step
    buckets = (one.times // BUCKET_S).astype(np.int64)
    unique, where = np.unique(buckets, return_inverse=True)
    labels = np.array([_label(at(float(b) * BUCKET_S).astimezone(zone), period.grain)
                       for b in unique.tolist()] or [""])  # fmt: skip
    of = labels[where] if len(buckets) else np.empty(0, dtype=labels.dtype)
    rows: list[list[Any]] = []
    order = np.argsort(of, kind="stable")
    sorted_labels, values = of[order], one.values[order]
    for begin in wanted:
        label = _label(begin, period.grain)
        first, last = np.searchsorted(sorted_labels, [label, label + "~"])
        part = values[int(first) : int(last)]
        if len(part):
            figures = [float(part.min()), float(part.mean()), float(part.max())]
            rows.append([label, len(part), *figures])
        else:
            rows.append([label, 0, None, None, None])
    return rows


def _label(moment: datetime, grain: str) -> str:
    return f"{moment:%Y-%m-%d}" if grain == "day" else f"{moment:%Y-%m-%d %H}:00"


def _by_hand(ctx: Context, place: Place, period: Period) -> Document | None:
    if place.known is None or not place.known.is_checked_by_hand:
        return None
    limits = {one.quantity: one.limits for one in wanted_in(ctx, place)}
    rows = checks_between(ctx, place.location.id, period.first, period.last)
    days = (period.last - period.first).days + 1
    return {
        "limits": {q: [known.low, known.high] for q, known in limits.items()},
        "expected": 2 * days,
        "rows": [
            {"day": row.day.isoformat(), "slot": row.slot.value, "temperature": row.temperature,
             "humidity": row.humidity, "by": row.by, "at": row.at.isoformat(), "note": row.note,
             "corrected_by": row.corrected_by, "correction": row.correction,
             "is_outside": any(
                 known.is_outside(value) for q, known in limits.items()
                 if (value := getattr(row, q)) is not None)}
            for row in rows
        ],
    }  # fmt: skip


def sign_record(
    ctx: Context, *, place: str, period: Period, password: str | None
) -> StorageRecord:
    """Sign the record of a period that is over; it is kept as it is now.

    Raises:
        NotFound: no such place.
        NotAllowed: a program.
        Invalid: wrong password.
        Conflict: the period is not over, or it is signed as it stands.
    """
    signer = signer_of(ctx, password)
    return sign_as(ctx, place=place, period=period, signer=signer)


@command("environment.sign_record", Permission.ENVIRONMENT_EDIT)
def sign_as(ctx: Context, *, place: str, period: Period, signer: User) -> StorageRecord:
    """Put a person's name to a record of temperature and humidity."""
    found = place_by_code(ctx, place)
    if period.last >= hospital_day(ctx):
        raise Conflict(_l("The period is not over yet. Sign it from the next day on."))
    document = record_of(ctx, found, period)
    if not document["sensors"] and not document["by_hand"]:
        raise Conflict(_l("Nothing is recorded here. Add a sensor, or check the place by hand."))
    for row in signed_records(ctx, found.location.id):
        if row.document == document:
            raise Conflict(_l("This record is signed already."), code="signed")
    made = StorageRecord(
        location_id=found.location.id,
        first=period.first,
        last=period.last,
        document=document,
        code=new_sheet_code(ctx, "storage", ""),
        person_id=signer.id,
        person=signer.name,
        signed_at=ctx.now(),
        meaning=MEANS,
        record_hash="",
    )
    made.record_hash = digest(signed_document(made))
    ctx.session.add(made)
    ctx.session.flush()
    return made


def signed_document(row: StorageRecord) -> Document:
    """Return all that is signed, as plain content."""
    return {
        "code": row.code,
        "document": row.document,
        "person": [row.person_id, row.person],
        "at": row.signed_at.astimezone(UTC).isoformat(),
        "meaning": row.meaning,
    }


def is_as_signed(row: StorageRecord) -> bool:
    """Tell whether the row still says what was signed."""
    return digest(signed_document(row)) == row.record_hash


def signed_records(ctx: Context, location_id: int, *, most: int = 50) -> list[StorageRecord]:
    """Return the signed records of a place, the newest period first."""
    query = select(StorageRecord).where(StorageRecord.location_id == location_id)
    order = query.order_by(StorageRecord.last.desc(), StorageRecord.id.desc()).limit(most)
    return list(ctx.session.scalars(order))


def record_by_id(ctx: Context, record_id: int) -> StorageRecord:
    """Return one signed record with its place, or raise `NotFound`."""
    return _one(ctx, StorageRecord.id == record_id)


def record_by_code(ctx: Context, code: str) -> StorageRecord:
    """Return the signed record that a sheet's code names, or raise `NotFound`."""
    return _one(ctx, StorageRecord.code == code)


def _one(ctx: Context, is_it: Any) -> StorageRecord:
    query = select(StorageRecord).where(is_it).options(joinedload(StorageRecord.location))
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such record. Choose one from the page of its place."))
    return found
