"""What people decide about use: which sensor tells it, what a break was, what energy costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from apm.accounts.queries import zone_of
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.model import MeterKind
from apm.readings.model import Sensor
from apm.readings.queries import sensor_by_code
from apm.utilisation.meter_values import write_values
from apm.utilisation.model import (
    STATES,
    BreakState,
    EnergyTerms,
    Feed,
    FeedWay,
    MeterBreak,
)
from apm.utilisation.queries import break_for_writing, feed_of_sensor
from apm.utilisation.units import scale_of

MINOR_PER_MWH = 100_000
"""From a price in whole units a kWh to minor units a MWh: 100 fen, 1000 kWh."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a sensor is to tell the use of its asset; see `model.Feed`."""

    way: FeedWay
    meter: MeterKind | None = None
    bits: int | None = None
    most_per_hour: float | None = None
    volts: float | None = None
    power_factor: float | None = None
    phases: int = 1
    off_below: float | None = None
    on_above: float | None = None
    least_minutes: float = 2.0
    gap_minutes: float = 30.0


@command("utilisation.feed", Permission.SENSOR_EDIT)
def set_feed(ctx: Context, *, sensor: str, wish: Wish) -> Feed:
    """Let a sensor tell the use of its asset, or change how; all its days are worked out anew.

    Raises:
        NotFound: no such sensor.
        Invalid: it stands on no asset, its unit cannot be that, or another sensor does it already.
    """
    found = sensor_by_code(ctx, sensor)
    _check(found, wish)
    others = _others(ctx, found)
    if wish.meter is not None and any(one.meter is wish.meter for one in others):
        raise _wrong("meter", _l("Another sensor feeds this meter. Stop that one first."))
    if wish.way in STATES and any(one.way in STATES for one in others):
        message = _l("Another sensor tells when this equipment is on. Stop that one first.")
        raise _wrong("way", message)
    feed = feed_of_sensor(ctx, found.id)
    if feed is None:
        feed = Feed(sensor_id=found.id, asset_id=found.asset_id, sensor=found)
        ctx.session.add(feed)
    for name in Wish.__slots__:
        setattr(feed, name, getattr(wish, name))
    feed.gives_energy = _can_give_energy(wish) and not any(one.gives_energy for one in others)
    feed.is_active, feed.levels, feed.levels_on, feed.problem = True, None, None, None
    feed.seen_revision = -1
    ctx.session.flush()
    return feed


@command("utilisation.stop", Permission.SENSOR_EDIT)
def stop_feed(ctx: Context, *, sensor: str) -> Feed:
    """Let a sensor tell nothing more; what it has told stays.

    Raises:
        NotFound: no such sensor.
        Conflict: it tells nothing.
    """
    feed = feed_of_sensor(ctx, sensor_by_code(ctx, sensor).id)
    if feed is None or not feed.is_active:
        raise Conflict(_l("This sensor tells nothing about use. There is nothing to stop."))
    feed.is_active = feed.gives_energy = False
    return feed


@command("utilisation.decide", Permission.SENSOR_EDIT)
def decide_break(
    ctx: Context, *, break_id: int, added: float = 0.0, note: str | None = None
) -> MeterBreak:
    """Confirm that a counter was set back or replaced, and say what ran unseen (its meter's unit).

    Raises:
        NotFound: no such break.
        Conflict: it was counted through, or confirmed by somebody already.
    """
    found = break_for_writing(ctx, break_id)
    if found.state is not BreakState.OPEN:
        raise Conflict(_l("This has been decided already. Reload the page."))
    found.state, found.added, found.note = BreakState.CONFIRMED, added, note
    found.decided_by, found.decided_at = ctx.actor.name, ctx.now()
    ctx.session.flush()
    write_values(ctx, found.feed, zone_of(ctx))
    return found


@dataclass(frozen=True, slots=True)
class Terms:
    """Price a kWh in whole units of the hospital's currency; the CO2 factor with its source."""

    price_per_kwh: Decimal | None = None
    factor_g_per_kwh: float | None = None
    factor_source: str | None = None
    factor_year: int | None = None
    is_verified: bool = False


@command("utilisation.terms", Permission.ENERGY_EDIT)
def set_terms(ctx: Context, *, terms: Terms) -> EnergyTerms:
    """Say what electricity costs the hospital and which CO2 factor counts."""
    found = ctx.session.scalar(select(EnergyTerms).with_for_update())
    if found is None:
        found = EnergyTerms()
        ctx.session.add(found)
    price = terms.price_per_kwh
    found.price_per_mwh = None if price is None else int(price * MINOR_PER_MWH)
    found.factor_g_per_kwh = terms.factor_g_per_kwh
    found.factor_source = terms.factor_source
    found.factor_year = terms.factor_year
    found.is_verified = terms.is_verified
    found.set_by = ctx.actor.name
    ctx.session.flush()
    return found


def _check(sensor: Sensor, wish: Wish) -> None:
    if sensor.asset_id is None:
        raise _wrong("way", _l("This sensor stands on no equipment. Choose one that does."))
    if wish.way is FeedWay.COUNTER and wish.meter is None:
        raise _wrong("meter", _l("Say which meter this counter is."))
    if wish.way is FeedWay.ENERGY and wish.meter is not None:
        raise _wrong("meter", _l("Energy feeds no meter. Leave this empty."))
    if wish.way in STATES and wish.meter is MeterKind.EXPOSURES:
        raise _wrong("meter", _l("Power tells hours and starts, no exposures."))
    if scale_of(wish.way, sensor.unit, wish.meter) is None:
        message = _l("The sensor's unit %(unit)s does not fit. See which units can be read.",
                     unit=sensor.unit)  # fmt: skip
        raise _wrong("way", message)


def _can_give_energy(wish: Wish) -> bool:
    if wish.way is FeedWay.CURRENT:
        return wish.volts is not None
    return wish.way in (FeedWay.POWER, FeedWay.ENERGY)


def _others(ctx: Context, sensor: Sensor) -> list[Feed]:
    query = select(Feed).where(
        Feed.asset_id == sensor.asset_id, Feed.sensor_id != sensor.id, Feed.is_active
    )
    return list(ctx.session.scalars(query.with_for_update()))


def _wrong(field: str, message: object) -> Invalid:
    return Invalid(message, fields={field: [message]})
