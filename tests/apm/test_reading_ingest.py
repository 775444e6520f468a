"""Readings arrive: good ones are stored, others are named by index, none is stored twice."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import event, func, select

from apm.assets.commands import create_asset
from apm.core.command import Context
from apm.core.errors import Invalid, NotAllowed, NotFound
from apm.readings import noting
from apm.readings.blocks import MOST_CHUNKS
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import backlog, merge_inbox
from apm.readings.model import Block, Latest, Sensor
from apm.readings.noting import note_inbox, turn
from apm.readings.queries import latest_values, sensor_by_code
from apm.readings.series import Resolution, series
from tests.conftest import actor_named

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def fridge_of(ctx, code="F-1"):
    return add_sensor(
        ctx, code=code, name="Fridge", quantity="temperature", unit="°C", location="Blood bank"
    )


@pytest.fixture
def fridge(as_):
    """North's fridge; South has one of the same code with readings of its own."""
    qin = as_("qin")
    fridge_of(qin)
    ingest(qin, [reading(NOON - MINUTE, 99)])
    return fridge_of(as_("wang"))


def reading(at=NOON, value=4.0, sensor="F-1", **more):
    return {"sensor": sensor, "at": at, "value": value, **more}


def stored(as_, code="F-1", who="wang"):
    ctx = as_(who)
    found = series(
        ctx,
        sensor_by_code(ctx, code).id,
        start=datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=9000),
        end=NOON + timedelta(days=300),
        resolution=Resolution.RAW,
    )
    return found.points()


def counts(report):
    return report.accepted, report.duplicate, [(r.index, r.code) for r in report.rejected]


@pytest.mark.database
def test_a_reading_is_stored_and_is_the_latest(as_, fridge):
    report = ingest(as_("wang"), [reading("2026-01-01T20:00:00+08:00", 4)])

    assert counts(report) == (1, 0, [])
    assert stored(as_) == [(NOON, 4.0)]
    latest = sensor_by_code(as_("wang"), "F-1").latest
    assert (latest.at, latest.value, latest.revision) == (NOON, 4.0, 1)
    assert stored(as_, who="qin") == [(NOON - MINUTE, 99.0)]


@pytest.mark.database
def test_the_latest_of_all_is_that_of_each_noted_or_not(as_, fridge):
    """The other hospital's fridge of the same code, a silent sensor, late and bad readings."""
    fridge_of(as_("wang"), "F-2")
    fridge_of(as_("wang"), "F-3")

    def latest():
        found = latest_values(as_("wang"))
        for one in found:
            each = sensor_by_code(as_("wang"), one.code).latest
            assert (one.at, one.value) == (each.at, each.value)
        return [(one.code, one.at, one.value) for one in found]

    ingest(as_("wang"), [reading(), reading(NOON, 7.0, "F-2")])
    assert latest() == [("F-1", NOON, 4.0), ("F-2", NOON, 7.0), ("F-3", None, None)]
    note_inbox(as_("system"))
    late = [reading(NOON - MINUTE, 1.0), reading(NOON + 2 * MINUTE, 9.0, quality="bad")]
    ingest(as_("wang"), [*late, reading(NOON + MINUTE, 8.0, "F-2")])
    ahead = [("F-1", NOON, 4.0), ("F-2", NOON + MINUTE, 8.0), ("F-3", None, None)]
    assert latest() == ahead
    merge_inbox(as_("system"))
    assert latest() == ahead


BAD = {
    "unknown sensor": (reading(sensor="F-2"), "unknown_sensor"),
    "no sensor": ({"at": NOON, "value": 1}, "unknown_sensor"),
    "sensor of another kind": (reading(sensor=["F-1"]), "unknown_sensor"),
    "not a number": (reading(value=math.nan), "not_a_number"),
    "infinite": (reading(value=-math.inf), "not_a_number"),
    "text": (reading(value="4.0"), "not_a_number"),
    "true": (reading(value=True), "not_a_number"),
    "no value": ({"sensor": "F-1", "at": NOON}, "not_a_number"),
    "enormous": (reading(value=10**400), "out_of_range"),
    "no such day": (reading("2026-02-30T00:00:00Z"), "not_a_time"),
    "words": (reading("yesterday"), "not_a_time"),
    "a number as time": (reading(1767268800), "not_a_time"),
    "no offset": (reading("2026-01-01T12:00:00"), "no_timezone"),
    "no offset either": (reading(NOON.replace(tzinfo=None)), "no_timezone"),
    "before its time": (reading("1999-12-31T23:59:59Z"), "too_old"),
    "the year one": (reading("0001-01-01T00:00:00+14:00"), "too_old"),
    "far future": (reading("9999-12-31T23:59:59-12:00"), "from_the_future"),
    "quality": (reading(quality="splendid"), "bad_quality"),
    "a list": ([], "not_a_reading"),
    "nothing": (None, "not_a_reading"),
}


@pytest.mark.parametrize(("bad", "code"), BAD.values(), ids=BAD)
def test_a_bad_reading_is_named_and_the_good_ones_are_stored(as_, fridge, bad, code):
    report = ingest(as_("wang"), [reading(), bad, reading(NOON + MINUTE, 5)])

    assert counts(report) == (2, 0, [(1, code)])
    assert report.rejected[0].detail
    assert stored(as_) == [(NOON, 4.0), (NOON + MINUTE, 5.0)]


def test_a_clock_may_run_five_minutes_ahead(as_, fridge):
    wang = as_("wang", now=lambda: NOON)
    sent = [reading(NOON + 5 * MINUTE), reading(NOON + 5 * MINUTE + timedelta(microseconds=1))]
    assert counts(ingest(wang, sent)) == (1, 0, [(1, "from_the_future")])


@pytest.mark.database
def test_the_same_again_is_a_duplicate_and_another_value_a_correction(as_, fridge):
    assert counts(ingest(as_("wang"), [reading(), reading()])) == (1, 1, [])
    assert counts(ingest(as_("wang"), [reading(), reading(NOON + MINUTE)])) == (1, 1, [])
    assert counts(ingest(as_("wang"), [reading(value=7.5)])) == (1, 0, [])

    assert stored(as_) == [(NOON, 7.5), (NOON + MINUTE, 4.0)]


def test_within_a_batch_the_last_one_wins(as_, fridge):
    sent = [reading(value=v) for v in (1.0, 2.0, 2.0, 1.0)]
    assert counts(ingest(as_("wang"), sent)) == (3, 1, [])
    assert stored(as_) == [(NOON, 1.0)]


def test_a_duplicate_changes_nothing_a_detector_would_wake_up_for(as_, fridge):
    ingest(as_("wang"), [reading()])
    before = sensor_by_code(as_("wang"), "F-1").latest
    ingest(as_("wang", now=lambda: NOON + timedelta(days=1)), [reading()])
    after = sensor_by_code(as_("wang"), "F-1").latest
    assert (after.revision, after.received_at) == (before.revision, before.received_at)


def test_the_earliest_instant_touched_is_known_until_it_is_cleared(as_, fridge):
    def touched():
        return sensor_by_code(as_("wang"), "F-1").latest.touched_from

    assert touched() is None
    ingest(as_("wang"), [reading(NOON + MINUTE), reading(NOON + 2 * MINUTE)])
    assert touched() == NOON + MINUTE
    ingest(as_("wang"), [reading(NOON + 3 * MINUTE)])
    assert touched() == NOON + MINUTE
    ingest(as_("wang"), [reading(NOON - timedelta(days=3))])
    assert touched() == NOON - timedelta(days=3)

    wang = as_("wang")
    note_inbox(wang)
    with wang.writing("test.evaluated"):
        wang.session.scalars(select(Latest)).one().touched_from = None
    ingest(as_("wang"), [reading(NOON + MINUTE)])
    assert touched() is None  # known already
    ingest(as_("wang"), [reading(NOON + 2 * MINUTE, 9.0, quality="bad")])
    assert touched() == NOON + 2 * MINUTE


def test_order_of_arrival_does_not_matter(as_, fridge):
    for minutes in (5, -3, 1440, 0, -1440):
        ingest(as_("wang"), [reading(NOON + minutes * MINUTE, minutes)])

    assert [value for _at, value in stored(as_)] == [-1440, -3, 0, 5, 1440]
    latest = sensor_by_code(as_("wang"), "F-1").latest
    assert (latest.at, latest.value) == (NOON + 1440 * MINUTE, 1440)


def test_readings_one_by_one_are_as_good_as_one_batch(as_, fridge):
    wang = as_("wang")
    n = 2 * MOST_CHUNKS + 5
    for k in range(n):
        ingest(wang, [reading(NOON + k * MINUTE, k, quality="bad" if k % 10 == 9 else "good")])
        merge_inbox(wang)

    good = [k for k in range(n) if k % 10 != 9]
    assert stored(as_) == [(NOON + k * MINUTE, k) for k in good]
    [block] = as_("wang").session.scalars(select(Block))
    assert (block.n, block.low, block.high, block.total) == (
        len(good),
        0,
        max(good),
        sum(good),
    )


def test_bad_quality_is_stored_but_not_shown(as_, fridge):
    assert ingest(as_("wang"), [reading(quality="bad")]).accepted == 1
    assert stored(as_) == []
    assert sensor_by_code(as_("wang"), "F-1").latest.at is None
    assert ingest(as_("wang"), [reading(quality="bad")]).duplicate == 1
    assert ingest(as_("wang"), [reading(quality="good")]).accepted == 1
    assert stored(as_) == [(NOON, 4.0)]


@pytest.mark.database
def test_many_sensors_and_days_in_one_call(as_, fridge, engine):
    wang = as_("wang")
    for k in range(30):
        fridge_of(wang, f"M-{k}")
    sent = [
        reading(NOON + timedelta(days=day), k + day, f"M-{k}")
        for day in range(20)
        for k in range(30)
    ]
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    assert counts(ingest(wang, sent)) == (600, 0, [])
    assert len(statements) < 20
    assert [value for _at, value in stored(as_, "M-7")] == [7 + day for day in range(20)]


@pytest.mark.database
def test_two_at_once_lose_nothing(as_, fridge, sessions):
    """Two devices send into the same day of the same sensors, again and again."""
    fridge_of(as_("wang"), "F-2")
    start, failures = Barrier(2), []

    def send(offset):
        try:
            with sessions() as session:
                ctx = Context(session, actor_named(session, "wang"))
                start.wait()
                for k in range(offset, 60, 2):
                    codes = ["F-1", "F-2"] if offset else ["F-2", "F-1"]
                    ingest(ctx, [reading(NOON + k * MINUTE, k, code) for code in codes])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [Thread(target=send, args=(offset,)) for offset in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    for code in ("F-1", "F-2"):
        assert stored(as_, code) == [(NOON + k * MINUTE, k) for k in range(60)]


def test_a_failed_batch_leaves_nothing(as_, fridge):
    wang = as_("wang")
    with pytest.raises(ZeroDivisionError), wang.writing("test"):
        ingest(wang, [reading()])
        raise ZeroDivisionError
    assert stored(as_) == []
    assert sensor_by_code(as_("wang"), "F-1").latest.revision == 0


@pytest.mark.database
def test_what_was_undone_is_not_remembered(as_, fridge):
    """A number of the inbox may come again after a rollback, with another batch."""
    wang = as_("wang")
    with pytest.raises(ZeroDivisionError), wang.writing("test"):
        ingest(wang, [reading()])
        assert counts(ingest(wang, [reading(), reading(NOON + MINUTE)])) == (1, 1, [])
        raise ZeroDivisionError
    assert counts(ingest(as_("wang"), [reading()])) == (1, 0, [])
    assert counts(ingest(as_("wang"), [reading()])) == (0, 1, [])
    note_inbox(as_("system"))
    assert counts(ingest(as_("wang"), [reading(NOON - MINUTE), reading()])) == (1, 1, [])
    assert stored(as_) == [(NOON - MINUTE, 4.0), (NOON, 4.0)]


def test_a_hundred_thousand_readings_take_seconds(as_, fridge):
    codes = [fridge_of(as_("wang"), f"M-{k}").code for k in range(100)]
    sent = [
        reading(NOON + (k // 100) * MINUTE, k % 7 / 10, codes[k % 100]) for k in range(100_000)
    ]
    assert ingest(as_("wang"), sent).accepted == 100_000
    assert merge_inbox(as_("wang")) == 100_000
    total = select(func.sum(Block.n)).join(Sensor, Sensor.id == Block.sensor_id)
    assert as_("wang").session.scalar(total) == 100_000


def test_senders_that_never_rest_do_not_keep_the_worker_noting(as_, fridge, monkeypatch):
    real, sent = noting._note, []

    def and_another_comes(*args):
        sent.append(NOON + len(sent) * MINUTE)
        ingest(as_("wang"), [reading(sent[-1])])
        real(*args)

    ingest(as_("wang"), [reading(NOON - MINUTE)])
    monkeypatch.setattr(noting, "_note", and_another_comes)
    assert merge_inbox(as_("system")) == 1
    assert (sent, backlog(as_("system"))) == ([NOON], (1, 1))


def test_inside_a_command_nobody_waits_for_a_turn(as_, fridge):
    ingest(as_("wang"), [reading()])
    system, other = as_("system"), as_("system")
    with turn(other), ThreadPoolExecutor(1) as pool:

        def note():
            with system.writing("test"):
                return note_inbox(system)

        assert pool.submit(note).result(timeout=60) > 0


def test_a_nurse_may_not_send(as_, fridge):
    with pytest.raises(NotAllowed):
        ingest(as_("lin"), [reading()])


class TestSensors:
    def test_a_code_is_taken_once_in_a_hospital(self, as_, fridge):
        with pytest.raises(Invalid) as refusal:
            fridge_of(as_("wang"))
        assert refusal.value.code == "code_taken"

    def test_an_asset_of_another_hospital_is_unknown(self, as_):
        theirs = create_asset(as_("qin"), number="1", name="Fridge", category="OTHER")
        with pytest.raises(NotFound):
            add_sensor(
                as_("wang"), code="F", name="F", quantity="other", unit="1", asset=theirs.code
            )
        assert as_("wang").session.scalars(select(Latest)).all() == []
