"""Checks by hand, morning and afternoon, of what no sensor measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.assets.model import Location
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.environment.alarm_state import Limits, limits_for
from apm.environment.model import ManualCheck, MonitoredPlace, Slot
from apm.environment.places import CLIMATE, Place, measured_here, place_by_code, sensors_in

LATE_DAYS = 1
"""How many days after its day a check may still be written down; it shows when that was."""
UNITS = {"temperature": "°C", "humidity": "%"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A quantity somebody has to read off, with the limits it is judged against."""

    quantity: str
    limits: Limits

    @property
    def unit(self) -> str:
        """Its unit."""
        return UNITS[self.quantity]


@dataclass(frozen=True, slots=True)
class Due:
    """A place that is checked by hand, and what was written down today."""

    place: Place
    done: dict[Slot, ManualCheck]


def wanted_in(ctx: Context, place: Place) -> list[Wanted]:
    """Return what is to be read off: what the place has limits for and no sensor measures."""
    measured = measured_here(sensors_in(ctx, place.location, ctx.now()))
    limits = {quantity: limits_for(place.profile, quantity) for quantity in CLIMATE}
    return [Wanted(q, known) for q, known in limits.items() if known and q not in measured]


def checks_between(ctx: Context, location_id: int, first: date, last: date) -> list[ManualCheck]:
    """Return the checks of a place from one day to another, by time."""
    query = select(ManualCheck).where(
        ManualCheck.location_id == location_id, ManualCheck.day >= first, ManualCheck.day <= last
    )
    return list(ctx.session.scalars(query.order_by(ManualCheck.day, ManualCheck.slot.desc())))


def due_today(ctx: Context) -> list[Due]:
    """Return the places that are checked by hand with today's checks, in two statements."""
    today = hospital_day(ctx)
    query = (
        select(Location, MonitoredPlace)
        .join(MonitoredPlace, MonitoredPlace.location_id == Location.id)
        .where(MonitoredPlace.is_checked_by_hand)
        .order_by(MonitoredPlace.floor, Location.name, Location.id)
    )
    places = [Place(location, known) for location, known in ctx.session.execute(query)]
    rows = ctx.session.scalars(select(ManualCheck).where(ManualCheck.day == today))
    done: dict[int, dict[Slot, ManualCheck]] = {}
    for row in rows:
        done.setdefault(row.location_id, {})[row.slot] = row
    return [Due(place, done.get(place.location.id, {})) for place in places]


@command("environment.check", Permission.ENVIRONMENT_CHECK)
def check_by_hand(
    ctx: Context,
    /,
    *,
    place: str,
    slot: Slot,
    day: date | None = None,
    correction: str | None = None,
    note: str | None = None,
    **values: float | None,
) -> ManualCheck:
    """Write down what was read off; the same again changes nothing.

    Raises:
        NotFound: no such place.
        Conflict: the place is not checked by hand, or other values stand there already.
        Invalid: a value is missing, or outside its limits without a word; or the wrong day.
    """
    found = place_by_code(ctx, place)
    if found.known is None or not found.known.is_checked_by_hand:
        raise Conflict(_l("This place is not checked by hand. Describe the place to change that."))
    on = _day(ctx, day)
    wanted = wanted_in(ctx, found)
    said = {one.quantity: values.get(one.quantity) for one in wanted}
    _refuse_missing(wanted, said, note)
    query = select(ManualCheck).where(
        ManualCheck.location_id == found.location.id, ManualCheck.day == on,
        ManualCheck.slot == slot,
    )  # fmt: skip
    row = ctx.session.scalar(query.with_for_update())
    if row is not None:
        return _corrected(ctx, row, said, note, correction)
    row = ManualCheck(
        location_id=found.location.id,
        day=on,
        slot=slot,
        temperature=said.get("temperature"),
        humidity=said.get("humidity"),
        note=note,
        by=ctx.actor.name,
        at=ctx.now(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row


def _day(ctx: Context, day: date | None) -> date:
    today = hospital_day(ctx)
    on = day or today
    if not today - timedelta(days=LATE_DAYS) <= on <= today:
        message = _l("Write down checks of today or yesterday. Older ones stay missing.")
        raise Invalid(message, fields={"day": [message]}, code="too_late")
    return on


def _refuse_missing(
    wanted: Sequence[Wanted], said: dict[str, float | None], note: str | None
) -> None:
    missing = [one.quantity for one in wanted if said[one.quantity] is None]
    if missing:
        text = _l("Read it off and type it.")
        raise Invalid(text, fields={name: [text] for name in missing}, code="missing")
    is_outside = any(one.limits.is_outside(said[one.quantity] or 0.0) for one in wanted)
    if is_outside and not note:
        text = _l("A value is outside its limits. Say what you did about it.")
        raise Invalid(text, fields={"note": [text]}, code="outside")


def _corrected(
    ctx: Context,
    row: ManualCheck,
    said: dict[str, float | None],
    note: str | None,
    correction: str | None,
) -> ManualCheck:
    if all(getattr(row, name) == value for name, value in said.items()) and row.note == note:
        return row
    if not correction:
        text = _l("This check was written down already. To correct it, say why.")
        raise Invalid(text, fields={"correction": [text]}, code="already_there")
    for name, value in said.items():
        setattr(row, name, value)
    row.note, row.correction, row.corrected_by = note, correction, ctx.actor.name
    ctx.session.flush()
    return row
