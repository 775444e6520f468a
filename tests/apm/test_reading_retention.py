"""Readings go when their time is up, their hours stay; nothing regulated goes early."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.core.errors import Invalid
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Block
from apm.readings.profiles import profiles
from apm.readings.queries import sensor_by_code
from apm.readings.retention import class_of, classes, thin
from apm.readings.sealing import seal_days
from apm.readings.series import Resolution, readings_between, series

START = datetime(2020, 1, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
pytestmark = pytest.mark.database


def add(ctx, code, profile=None):
    return add_sensor(
        ctx, code=code, name=code, quantity="temperature", unit="°C", location="Lab",
        profile=profile,
    )  # fmt: skip


def fill(ctx, code, *, first=START, n=96):
    """Two days, two readings an hour."""
    rows = [{"sensor": code, "at": first + k * HALF_HOUR, "value": float(k)} for k in range(n)]
    assert ingest(ctx, rows).accepted == n
    merge_inbox(ctx)
    seal_days(ctx)


def later(as_, days):
    return as_("wang", now=lambda: START + timedelta(days=days))


def left(ctx, code):
    ctx.session.commit()  # else it looks at the past
    sensor_id = sensor_by_code(ctx, code).id
    return sum(len(part) for part in readings_between(ctx, sensor_id))


def test_hours_and_days_stay_as_they_were(as_):
    wang = as_("wang")
    add(wang, "R")
    fill(wang, "R")
    ids = sensor_by_code(wang, "R").id
    span = {"start": START, "end": START + timedelta(days=3)}
    before = {
        r: series(wang, ids, **span, resolution=r) for r in (Resolution.HOUR, Resolution.DAY)
    }

    assert thin(later(as_, 730)) == 0  # the first day is not older than two years yet
    assert thin(later(as_, 731)) == 1
    assert left(wang, "R") == 48
    assert thin(later(as_, 740)) == 1
    assert thin(later(as_, 740)) == 0
    assert left(wang, "R") == 0

    for resolution, was in before.items():
        now = series(wang, ids, **span, resolution=resolution)
        for column in ("at", "value", "low", "high", "n"):
            assert getattr(now, column).tolist() == getattr(was, column).tolist()
    auto = series(wang, ids, **span)
    assert (auto.width_s, auto.n.tolist()) == (3600, [2] * 48)
    assert series(wang, ids, **span, most=2).width_s == 86_400
    with pytest.raises(Invalid) as refusal:
        series(wang, ids, **span, resolution=Resolution.RAW)
    assert refusal.value.code == "summarised"


def test_an_hour_that_the_period_cuts_counts_as_a_whole(as_):
    wang = as_("wang")
    add(wang, "R")
    fill(wang, "R")
    thin(later(as_, 740))
    found = series(
        wang,
        sensor_by_code(wang, "R").id,
        start=START + timedelta(minutes=40),
        end=START + timedelta(minutes=130),
        resolution=Resolution.HOUR,
    )
    assert found.n.tolist() == [2, 2, 2]


def test_what_comes_for_a_thinned_day_is_refused_and_the_rest_stored(as_):
    wang = as_("wang")
    add(wang, "R")
    fill(wang, "R", n=40)  # the last reading leaves a part of its day empty
    thin(later(as_, 740))
    rows = [
        {"sensor": "R", "at": START + timedelta(hours=1), "value": 9.0},
        {"sensor": "R", "at": START + timedelta(hours=23), "value": 9.0},
        {"sensor": "R", "at": START - timedelta(hours=1), "value": 9.0},
        {"sensor": "R", "at": START + timedelta(hours=25), "value": 9.0},
    ]
    report = ingest(wang, rows)
    assert [(r.index, r.code) for r in report.rejected] == [(0, "summarised"), (1, "summarised")]
    assert (report.accepted, report.duplicate) == (2, 0)
    assert report.rejected[0].detail
    merge_inbox(wang)
    assert left(wang, "R") == 2


def test_nothing_is_thinned_while_readings_of_the_sensor_wait(as_):
    wang = as_("wang")
    add(wang, "R")
    fill(wang, "R")
    ingest(wang, [{"sensor": "R", "at": START + timedelta(minutes=7), "value": 1.0}])
    assert thin(later(as_, 740)) == 0
    assert left(wang, "R") == 97
    merge_inbox(wang)
    assert thin(later(as_, 740)) == 2


REGULATED = {
    "blood_rbc", "platelet", "plasma_freezer", "vaccine_fridge", "vaccine_ultracold",
    "reagent_fridge", "ult_freezer", "sterile_store",
}  # fmt: skip


def test_nothing_regulated_goes_before_its_time(as_):
    wang = as_("wang")
    for profile in sorted(profiles()):
        add(wang, profile, profile)
        fill(wang, profile)
    unknown = add(wang, "unknown", "lab")
    fill(wang, "unknown")
    with wang.writing("test"):
        unknown.profile = "of another catalogue"

    thin(later(as_, 3650 + 2))  # ten years, two of them leap years: not over yet
    kept = {code for code in (*profiles(), "unknown") if left(wang, code) == 96}
    assert kept == {*REGULATED, "unknown"}

    thin(later(as_, 4000))
    assert [code for code in (*profiles(), "unknown") if left(wang, code)] == ["unknown"]
    gone = set(wang.session.scalars(select(Block.day).where(Block.data.is_(None))))
    assert gone == {date(2020, 1, 1), date(2020, 1, 2)}


def test_every_profile_has_one_class_with_a_source(as_):
    named = [profile for one in classes() for profile in one.profiles]
    assert len(named) == len(set(named))
    assert set(named) == {*profiles(), None}
    for one in classes():
        assert one.source
        assert one.name
        assert bool(one.profiles & REGULATED) == one.to_verify
    wang = as_("wang")
    assert class_of(add(wang, "B", "platelet")).code == "blood"
    assert class_of(add(wang, "N")).code == "rooms"
