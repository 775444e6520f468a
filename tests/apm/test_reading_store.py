"""Whatever comes in which order, and whenever it is merged and sealed: every view is right."""

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from apm.core.command import Context
from apm.core.many import among
from apm.readings import merging
from apm.readings.blocks import DAY_US
from apm.readings.checking import instant, microseconds
from apm.readings.commands import add_sensor, ingest
from apm.readings.hours import HOUR_US
from apm.readings.merging import backlog, merge_inbox
from apm.readings.model import Block, Inbox
from apm.readings.noting import note_inbox
from apm.readings.queries import sensor_by_code, sparklines
from apm.readings.sealing import seal_days
from apm.readings.series import Resolution, readings_between, series
from tests.conftest import actor_named
from tests.queries import count_queries

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NUMBERS = itertools.count()
QUALITY = ["good", "uncertain", "bad"]

batch = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from([1.0, 2.5, -0.3, 1e9]), st.integers(0, 2)),
    max_size=12,
)
step = st.one_of(batch, st.just("merge"), st.just("seal"))


def add(ctx):
    code = f"P-{next(NUMBERS)}"
    add_sensor(ctx, code=code, name="P", quantity="temperature", unit="°C", location="Lab")
    return code


def at_step(k):
    """Four days, 200 instants; many share an hour."""
    return START + k * 29 * MINUTE


@pytest.fixture(params=[0, 100_000], ids=["hours always", "hours never"])
def hours_from(request, monkeypatch):
    monkeypatch.setattr("apm.readings.merging.HOURS_FROM", request.param)


@pytest.mark.usefixtures("hours_from")
@pytest.mark.database
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, min_size=1, max_size=12))
def test_raw_hour_and_day_agree_however_readings_came(sessions, steps):
    with sessions() as session:
        now = START + timedelta(days=3, hours=2)
        follow(Context(session, actor_named(session, "wang"), lambda: now), steps)


def follow(ctx, steps):
    code = add(ctx)
    sensor_id = sensor_by_code(ctx, code).id
    known = {}
    for one in steps:
        if one == "merge":
            merge_inbox(ctx)
        elif one == "seal":
            merge_inbox(ctx)
            seal_days(ctx)
        else:
            take(ctx, code, one, known)
        check(ctx, sensor_id, known)
        check_latest(ctx, code, known)
    merge_inbox(ctx)
    assert backlog(ctx) == (0, 0)
    check(ctx, sensor_id, known)


def take(ctx, code, one, known):
    """Send a batch; its counts are those of taking the readings in one by one."""
    accepted = duplicate = 0
    rows, late = [], datetime(2100, 1, 1, tzinfo=UTC)
    for k, value, grade in one:
        rows.append({"sensor": code, "at": at_step(k), "value": value, "quality": QUALITY[grade]})
        if at_step(k) > ctx.now() + 5 * MINUTE:
            continue
        if known.get(k) == (value, grade):
            duplicate += 1
        else:
            accepted += 1
            known[k] = (value, grade)
            late = min(late, at_step(k))
    note_inbox(ctx)
    with ctx.writing("test.evaluated"):
        sensor_by_code(ctx, code).latest.touched_from = None
    report = ingest(ctx, rows)
    assert (report.accepted, report.duplicate) == (accepted, duplicate)
    ctx.session.expire_all()
    touched = sensor_by_code(ctx, code).latest.touched_from
    assert touched == (late if accepted else None)


def check(ctx, sensor_id, known):
    usable = {microseconds(at_step(k)): v for k, (v, grade) in sorted(known.items()) if grade < 2}
    end = START + timedelta(days=6)

    raw = series(ctx, sensor_id, start=START, end=end, resolution=Resolution.RAW)
    assert dict(zip(raw.at.tolist(), raw.value.tolist(), strict=True)) == usable

    for resolution, width in ((Resolution.HOUR, HOUR_US), (Resolution.DAY, DAY_US)):
        compare(series(ctx, sensor_id, start=START, end=end, resolution=resolution), usable, width)
    some = {t: v for t, v in usable.items() if t >= microseconds(START + 95 * MINUTE)}
    late = START + 95 * MINUTE
    compare(series(ctx, sensor_id, start=late, end=end, resolution=Resolution.HOUR), some, HOUR_US)
    few = series(ctx, sensor_id, start=START, end=end, most=60)
    if len(usable) > 60:
        compare(few, usable, few.width_s * 1_000_000)

    until = START + timedelta(days=2)
    last = [t for t in usable if until - timedelta(days=1) <= instant(t) <= until]
    slots = {t // (DAY_US // 96): (instant(t), usable[t]) for t in last}
    assert sparklines(ctx, [sensor_id], until=until)[sensor_id] == list(slots.values())


def compare(found, usable, width):
    slots = {}
    for t, v in usable.items():
        slots.setdefault(t // width * width, []).append(v)
    assert found.at.tolist() == list(slots)
    assert found.n.tolist() == [len(v) for v in slots.values()]
    assert found.low.tolist() == [min(v) for v in slots.values()]
    assert found.high.tolist() == [max(v) for v in slots.values()]
    means = [np.mean(v) for v in slots.values()]
    assert found.value.tolist() == pytest.approx(means, rel=1e-9, abs=1e-3)


def check_latest(ctx, code, known):
    ctx.session.expire_all()
    latest = sensor_by_code(ctx, code).latest
    usable = [k for k, (_v, grade) in known.items() if grade < 2]
    expected = (at_step(max(usable)), known[max(usable)][0]) if usable else (None, None)
    assert (latest.at, latest.value) == expected


@pytest.mark.database
def test_a_merge_that_stops_half_way_is_done_again(as_, monkeypatch):
    wang = as_("wang")
    codes = [add(wang) for _ in range(3)]
    monkeypatch.setattr("apm.readings.merging.AT_ONCE", 1)
    for k in range(4):
        ingest(wang, [{"sensor": c, "at": at_step(k), "value": float(k)} for c in codes])
    counter = itertools.count()

    def dies(ctx, written):
        if next(counter) == 2:
            raise KeyboardInterrupt
        return real(ctx, written)

    real = merging._write
    with monkeypatch.context() as patched:
        patched.setattr(merging, "_write", dies)
        with pytest.raises(KeyboardInterrupt):
            merge_inbox(wang)
    ids = [sensor_by_code(wang, code).id for code in codes]
    half = [values(wang, sensor_id) for sensor_id in ids]
    assert wang.session.scalar(select(func.count(Block.id))) == 2

    assert half == [[0.0, 1.0, 2.0, 3.0]] * 3
    merge_inbox(wang)
    assert [values(wang, sensor_id) for sensor_id in ids] == half
    assert wang.session.scalar(select(func.count(Inbox.id))) == 0
    assert wang.session.scalars(select(Block.n)).all() == [4, 4, 4]


def values(ctx, sensor_id):
    return [v for part in readings_between(ctx, sensor_id) for v in part.values.tolist()]


@pytest.mark.database
def test_a_merge_that_is_overtaken_writes_nothing_old(as_, monkeypatch):
    """While one merge has prepared its blocks, another takes more in and writes first."""
    wang, other = as_("wang"), as_("wang")
    code = add(wang)
    sensor_id = sensor_by_code(wang, code).id
    ingest(wang, [{"sensor": code, "at": at_step(0), "value": 0.0}])
    merge_inbox(wang)
    ingest(wang, [{"sensor": code, "at": at_step(1), "value": 1.0}])
    real = merging._prepared

    def slowly(ctx, some):
        prepared = real(ctx, some)
        if ctx is wang:
            ctx.session.commit()
            ingest(other, [{"sensor": code, "at": at_step(2), "value": 2.0}])
            assert merge_inbox(other) == 2
        return prepared

    with monkeypatch.context() as patched:
        patched.setattr(merging, "_prepared", slowly)
        assert merge_inbox(wang) == 0
    assert values(as_("wang"), sensor_id) == [0.0, 1.0, 2.0]
    assert as_("wang").session.scalars(select(Block.n)).all() == [3]


def test_another_hospital_neither_sees_nor_merges_it(as_):
    wang, qin = as_("wang"), as_("qin")
    code = add(wang)
    ingest(wang, [{"sensor": code, "at": at_step(0), "value": 0.0}])
    assert backlog(qin) == (0, 0)
    assert merge_inbox(qin) == 0
    assert values(qin, sensor_by_code(wang, code).id) == []
    assert backlog(wang) == (1, 1)


def test_a_period_in_another_zone_is_the_same_period(as_):
    wang = as_("wang")
    code = add(wang)
    ingest(wang, [{"sensor": code, "at": at_step(k), "value": float(k)} for k in range(100)])
    merge_inbox(wang)
    sensor_id = sensor_by_code(wang, code).id
    zone = datetime.fromisoformat("2026-01-01T00:00:00+08:00").tzinfo
    start, end = START + timedelta(hours=20), START + timedelta(hours=30)
    for resolution in Resolution:
        here = series(wang, sensor_id, start=start, end=end, resolution=resolution)
        there = series(
            wang, sensor_id, start=start.astimezone(zone), end=end.astimezone(zone),
            resolution=resolution,
        )  # fmt: skip
        assert here.at.tolist() == there.at.tolist()
        assert len(here.at)


def test_a_list_of_sensors_is_found_by_sensor_not_by_hospital(engine, sessions, as_):
    """SQLite is told that a hospital has more rows than a sensor; PostgreSQL counts them."""
    wang = as_("wang")
    code = add(wang)
    sensor_id = sensor_by_code(wang, code).id
    ingest(wang, [{"sensor": code, "at": at_step(0), "value": 1.0}])
    merge_inbox(wang)
    query = select(Block.sensor_id).where(
        among(Block.sensor_id, [sensor_id, 0]), Block.day == at_step(0).date()
    )
    with count_queries(engine) as sent:
        assert list(wang.session.scalars(query)) == [sensor_id]
    if engine.dialect.name == "sqlite":
        [statement] = [one for one in sent if "json_each" in one]
        with engine.connect() as plain:
            plan = plain.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", (f"[{sensor_id}]", "2026-01-01", 1)
            )
            first = plan.all()[0][-1]
        assert "(sensor_id=? AND day=?)" in first
