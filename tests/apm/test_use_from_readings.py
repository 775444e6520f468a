"""Readings become hours, starts, counts and meter values; late ones correct them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update

from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.maintenance.metering import read_meter
from apm.maintenance.model import Meter, MeterKind, MeterReading
from apm.maintenance.wishes import Said
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Block
from apm.utilisation.commands import Wish, decide_break, set_feed, stop_feed
from apm.utilisation.following import feeds_due
from apm.utilisation.jobs import follow_all
from apm.utilisation.model import BreakState, Feed, FeedWay, MeterBreak, UseDay
from tests.apm.hospital import make_asset

pytestmark = pytest.mark.database
NOW = datetime(2026, 5, 20, 2, tzinfo=UTC)
"""Ten in the morning of the 20th in Shanghai."""
HOURS = Wish(FeedWay.POWER, MeterKind.HOURS, off_below=1, on_above=50)
FIRST = datetime(2026, 5, 10, 16, tzinfo=UTC)
"""Midnight of the 11th in Shanghai."""
STEP = timedelta(minutes=5)


@pytest.fixture
def at_work(as_):
    """`at_work("wang")` acts on the 20th."""
    return lambda name: as_(name, now=lambda: NOW)


def sensor_on(ctx, code="P-1", quantity="power", unit="W", asset=None):
    asset = asset or make_asset(ctx)
    add_sensor(ctx, code=code, name=code, quantity=quantity, unit=unit, asset=asset.code)
    return asset


def send(ctx, code, first, values, step=STEP):
    rows = [
        {"sensor": code, "at": (first + step * k).isoformat(), "value": float(value)}
        for k, value in enumerate(values)
    ]
    report = ingest(ctx, rows)
    assert report.accepted == len(rows), report


def day_of_power(hours_on, n=288):
    """A day at 5 minutes: on from 8 o'clock for so many hours, else standby."""
    hour = np.arange(n) * 24 / n
    return np.where((hour >= 8) & (hour < 8 + hours_on), 120.0, 9.0)


def days(ctx):
    return {d.day.day: d for d in ctx.session.scalars(select(UseDay).order_by(UseDay.day))}


def meter_values(ctx, asset, kind=MeterKind.HOURS):
    query = (
        select(MeterReading)
        .join(Meter, Meter.id == MeterReading.meter_id)
        .where(Meter.asset_id == asset.id, Meter.kind == kind)
        .order_by(MeterReading.at)
        .execution_options(populate_existing=True)
    )
    return [(one.at, one.value, one.sensor_id) for one in ctx.session.scalars(query)]


def test_power_becomes_hours_by_day_and_a_meter_value_at_each_days_end(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang)
    sensor_on(wang, "NOISE")
    feed = set_feed(wang, sensor="P-1", wish=Wish(FeedWay.POWER, MeterKind.HOURS))
    send(wang, "P-1", FIRST, np.concatenate([day_of_power(h) for h in (6, 8, 3)]))
    send(wang, "NOISE", FIRST, day_of_power(24))

    assert follow_all(at_work("system")) == 1
    assert feeds_due(at_work("system")) == []

    found = days(wang)
    assert sorted(found) == [11, 12, 13]
    assert [round(found[d].on_s / 3600, 3) for d in (11, 12, 13)] == [6, 8, 3]
    assert [found[d].starts for d in (11, 12, 13)] == [1, 1, 1]
    assert found[12].off_s == 0
    assert found[12].standby_s == pytest.approx(16 * 3600)
    assert found[12].hours[8][0] == 3600
    assert found[12].hours[16][0] == 0
    midnight = FIRST + timedelta(days=1)
    assert meter_values(wang, asset) == [
        (midnight + timedelta(days=k), value, feed.sensor_id)
        for k, value in enumerate([6, 14, 17])
    ]


def test_energy_is_the_sum_of_power_and_its_standby_part_is_told(at_work):
    wang = at_work("wang")
    sensor_on(wang, unit="kW")
    set_feed(wang, sensor="P-1", wish=Wish(FeedWay.POWER))
    send(wang, "P-1", FIRST, np.concatenate([day_of_power(6)] * 3) / 1000)
    follow_all(at_work("system"))

    day = days(wang)[12]

    watts = np.concatenate([day_of_power(6), [9.0]])
    assert day.wh == pytest.approx(np.trapezoid(watts) * 300 / 3600, rel=1e-6)
    assert day.wh_standby == pytest.approx(18 * 9, rel=0.05)
    assert sum(hour[3] for hour in day.hours) == pytest.approx(day.wh, rel=1e-6)


def test_batches_in_any_order_give_the_same_days(at_work):
    wang = at_work("wang")
    sensor_on(wang)
    sensor_on(wang, "P-2")
    for code in ("P-1", "P-2"):
        set_feed(wang, sensor=code, wish=Wish(FeedWay.POWER, off_below=1.0, on_above=50.0))
    values = np.concatenate([day_of_power(h) for h in (6, 8, 3)])
    send(wang, "P-1", FIRST, values)
    follow_all(at_work("system"))
    for k in np.random.default_rng(1).permutation(12):
        send(wang, "P-2", FIRST + STEP * int(k) * 72, values[k * 72 : (k + 1) * 72])
        follow_all(at_work("system"))

    feeds = wang.session.scalars(select(Feed.id).order_by(Feed.id)).all()
    told = [
        [
            (d.day, d.on_s, d.standby_s, d.off_s, d.starts, d.wh, d.hours)
            for d in wang.session.scalars(
                select(UseDay).where(UseDay.feed_id == feed).order_by(UseDay.day)
            )
        ]
        for feed in feeds
    ]
    assert len(told[0]) == 3
    assert told[0] == told[1]


def test_late_readings_correct_the_day_and_every_meter_value_after_it(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang)
    set_feed(wang, sensor="P-1", wish=HOURS)
    whole = np.concatenate([day_of_power(h) for h in (6, 8, 3)])
    send(wang, "P-1", FIRST, whole[:400])
    send(wang, "P-1", FIRST + 2 * STEP * 288, whole[576:])
    follow_all(at_work("system"))
    before = meter_values(wang, asset)

    send(wang, "P-1", FIRST + STEP * 400, whole[400:576])
    follow_all(at_work("system"))

    after = [value for _, value, _ in meter_values(wang, asset)]
    assert before[-1][1] < 17
    assert after == [6, 14, 17]


def test_a_gap_is_not_filled(at_work):
    wang = at_work("wang")
    sensor_on(wang)
    set_feed(wang, sensor="P-1", wish=Wish(FeedWay.POWER, off_below=1, on_above=50))
    values = np.full(288, 120.0)
    send(wang, "P-1", FIRST, values[:60])
    send(wang, "P-1", FIRST + STEP * 228, values[228:])
    follow_all(at_work("system"))

    day = days(wang)[11]

    assert day.on_s == pytest.approx(2 * 59 * 300)
    assert day.known_s == pytest.approx(2 * 59 * 300)
    assert day.wh == pytest.approx(2 * 59 * 300 / 3600 * 120)


def test_a_device_that_always_draws_the_same_cannot_be_told(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang)
    feed = set_feed(wang, sensor="P-1", wish=Wish(FeedWay.POWER, MeterKind.HOURS))
    send(wang, "P-1", FIRST, np.random.default_rng(1).normal(120, 5, 600))
    follow_all(at_work("system"))

    wang.session.refresh(feed)
    assert feed.problem == "cannot_tell"
    assert days(wang)[11].on_s is None
    assert days(wang)[11].wh > 2500
    assert meter_values(wang, asset) == []

    set_feed(wang, sensor="P-1", wish=HOURS)
    follow_all(at_work("system"))
    wang.session.expire_all()
    assert feed.problem is None
    assert days(wang)[12].on_s == pytest.approx(86400)


def test_a_counter_that_was_reset_waits_for_a_person(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang, "C-1", "count", "times")
    set_feed(wang, sensor="C-1", wish=Wish(FeedWay.COUNTER, MeterKind.EXPOSURES))
    hour = timedelta(hours=1)
    send(wang, "C-1", FIRST, 5000 + np.arange(36) * 10, hour)  # to 18:00 of the 12th's noon
    send(wang, "C-1", FIRST + hour * 36, np.arange(36) * 10, hour)
    follow_all(at_work("system"))

    [one] = wang.session.scalars(select(MeterBreak)).all()
    assert (one.kind, one.before, one.after, one.state) == ("reset", 5350, 0, BreakState.OPEN)
    told = [value for _, value, _ in meter_values(wang, asset, MeterKind.EXPOSURES)]
    assert told == [230, 230 + 230, 230 + 230 + 240]

    decide_break(wang, break_id=one.id, added=7, note="Tube changed")
    told = [value for _, value, _ in meter_values(wang, asset, MeterKind.EXPOSURES)]
    assert told == [230, 467, 707]
    with pytest.raises(Conflict):
        decide_break(wang, break_id=one.id)
    with pytest.raises(NotFound):
        decide_break(at_work("qin"), break_id=one.id)

    follow_all(at_work("system"))
    assert one.state is BreakState.CONFIRMED


def test_a_rollover_is_counted_through_by_itself(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang, "C-1", "count", "times")
    set_feed(wang, sensor="C-1", wish=Wish(FeedWay.COUNTER, MeterKind.USES, bits=16))
    send(wang, "C-1", FIRST, (65000 + np.arange(48) * 25) % 65536, timedelta(hours=1))
    follow_all(at_work("system"))

    [one] = wang.session.scalars(select(MeterBreak)).all()
    assert one.state is BreakState.COUNTED
    assert [v for _, v, _ in meter_values(wang, asset, MeterKind.USES)] == [21 * 25, 47 * 25]
    # the two readings after it waited for a third, which came on the next day


def test_what_a_person_reads_is_the_truth_from_then_on(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang)
    set_feed(wang, sensor="P-1", wish=HOURS)
    send(wang, "P-1", FIRST, np.concatenate([day_of_power(h) for h in (6, 8)]))
    follow_all(at_work("system"))
    evening = FIRST + timedelta(days=2)

    read_meter(
        wang, said=Said(asset.code, MeterKind.HOURS, 1200.0, evening + timedelta(minutes=1))
    )
    send(wang, "P-1", evening, day_of_power(3))
    follow_all(at_work("system"))

    told = [value for _, value, _ in meter_values(wang, asset)]
    assert told == [6, 14, 1200, 1203]


@pytest.mark.parametrize(
    ("unit", "wish", "field"),
    [
        ("°C", Wish(FeedWay.POWER), "way"),
        ("W", Wish(FeedWay.COUNTER), "meter"),
        ("W", Wish(FeedWay.POWER, MeterKind.EXPOSURES), "meter"),
        ("kWh", Wish(FeedWay.ENERGY, MeterKind.HOURS), "meter"),
    ],
)
def test_what_cannot_be_is_refused(at_work, unit, wish, field):
    wang = at_work("wang")
    sensor_on(wang, unit=unit)
    with pytest.raises(Invalid) as error:
        set_feed(wang, sensor="P-1", wish=wish)
    assert field in error.value.fields


def test_two_sensors_do_not_feed_one_meter(at_work):
    wang = at_work("wang")
    asset = sensor_on(wang)
    sensor_on(wang, "C-1", "count", "h", asset)
    set_feed(wang, sensor="P-1", wish=Wish(FeedWay.POWER, MeterKind.HOURS))
    with pytest.raises(Invalid):
        set_feed(wang, sensor="C-1", wish=Wish(FeedWay.COUNTER, MeterKind.HOURS))
    stop_feed(wang, sensor="P-1")
    set_feed(wang, sensor="C-1", wish=Wish(FeedWay.COUNTER, MeterKind.HOURS))
    with pytest.raises(Conflict):
        stop_feed(wang, sensor="P-1")


def test_a_sensor_in_a_room_tells_no_use(at_work):
    wang = at_work("wang")
    add_sensor(wang, code="R-1", name="R", quantity="power", unit="W", location="Room")
    with pytest.raises(Invalid):
        set_feed(wang, sensor="R-1", wish=Wish(FeedWay.POWER))
    with pytest.raises(NotAllowed):
        set_feed(at_work("chen"), sensor="R-1", wish=Wish(FeedWay.POWER))
    with pytest.raises(NotFound):
        set_feed(at_work("qin"), sensor="R-1", wish=Wish(FeedWay.POWER))


def test_merged_readings_say_what_they_said_in_the_inbox(at_work):
    wang, system = at_work("wang"), at_work("system")
    asset = sensor_on(wang)
    set_feed(wang, sensor="P-1", wish=HOURS)
    send(wang, "P-1", FIRST, np.concatenate([day_of_power(h) for h in (6, 8)]))
    follow_all(system)
    before = meter_values(wang, asset)

    assert merge_inbox(system) == 576
    system.session.rollback()  # its last look at the inbox is over: SQLite shows what is new
    send(wang, "P-1", FIRST + timedelta(days=2), day_of_power(3))
    follow_all(system)

    assert meter_values(wang, asset)[: len(before)] == before
    assert [round(days(wang)[d].on_s / 3600, 3) for d in (11, 12, 13)] == [6, 8, 3]


def test_use_stays_when_its_readings_have_served_their_time(at_work):
    wang, system = at_work("wang"), at_work("system")
    asset = sensor_on(wang)
    set_feed(wang, sensor="P-1", wish=HOURS)
    send(wang, "P-1", FIRST, np.concatenate([day_of_power(h) for h in (6, 8, 3)]))
    merge_inbox(system)
    follow_all(system)
    before = meter_values(wang, asset)
    with system.writing("test.thin"):
        old = update(Block).where(Block.day <= (FIRST + timedelta(days=1)).date())
        system.session.execute(old.values(data=None))

    send(wang, "P-1", FIRST + timedelta(days=3), day_of_power(5))
    follow_all(system)

    assert [round(days(wang)[d].on_s / 3600, 3) for d in (11, 12, 13, 14)] == [6, 8, 3, 5]
    assert meter_values(wang, asset)[: len(before)] == before
