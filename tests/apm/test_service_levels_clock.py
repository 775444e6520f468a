"""How far a clock has run: in working hours, over holidays, pauses, month ends, summer time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apm.teams.working_time import WorkingCalendar, deadline, elapsed, merged

SHANGHAI = WorkingCalendar("Asia/Shanghai")
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
FROM = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 60 * 24 * 700).map(lambda n: FROM + timedelta(minutes=n))
LENGTHS = st.integers(1, 60 * 24 * 20).map(lambda n: timedelta(minutes=n))


@st.composite
def calendars(draw):
    opens = draw(st.integers(0, 1130))
    closes = draw(st.integers(opens + 300, 1439))
    special = draw(
        st.dictionaries(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.booleans(), max_size=8)
    )
    return WorkingCalendar(
        draw(st.sampled_from(ZONES)),
        frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        time(opens // 60, opens % 60),
        time(closes // 60, closes % 60),
        special,
    )


CALENDARS = st.one_of(st.none(), calendars())
PAUSES = st.lists(
    st.tuples(INSTANTS, LENGTHS).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=4
)


def local(text, zone="Asia/Shanghai"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@settings(max_examples=200, deadline=None)
@given(INSTANTS, LENGTHS, CALENDARS, PAUSES)
def test_what_a_deadline_leaves_is_what_was_promised(start, within, calendar, pauses):
    due = deadline(start, within, calendar, pauses)
    assert due > start
    assert elapsed(start, due, calendar, pauses) == within


@settings(max_examples=200, deadline=None)
@given(INSTANTS, LENGTHS, CALENDARS, PAUSES, INSTANTS, LENGTHS)
def test_a_pause_never_shortens_the_time_there_is(start, within, calendar, pauses, at, still):
    without = deadline(start, within, calendar, pauses)
    paused = deadline(start, within, calendar, [*pauses, (at, at + still)])
    assert paused >= without
    if calendar is None:  # it may also push the end into the pauses that were there
        assert paused - without <= still + sum((b - a for a, b in pauses), timedelta())
    if at >= without:  # what comes after it is over changes nothing that has been
        assert paused == without


@settings(max_examples=100, deadline=None)
@given(INSTANTS, LENGTHS, LENGTHS, CALENDARS, PAUSES)
def test_a_clock_never_runs_backwards(start, first, more, calendar, pauses):
    middle, end = start + first, start + first + more
    ran = elapsed(start, middle, calendar, pauses)
    assert timedelta() <= ran <= first
    assert elapsed(start, end, calendar, pauses) >= ran
    assert deadline(start, first + more, calendar) > deadline(start, first, calendar)


@settings(max_examples=100, deadline=None)
@given(PAUSES)
def test_pauses_that_overlap_count_once(pauses):
    joined = merged([*pauses, *pauses])
    assert joined == merged(pauses)
    assert all(a[1] < b[0] for a, b in pairwise(joined))


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23T10:00", 4, "2026-11-23T14:00"),  # a Monday
        ("2026-11-23T16:00", 4, "2026-11-24T11:00"),  # over night
        ("2026-11-27T16:00", 4, "2026-11-30T11:00"),  # over the week-end and the month's end
        ("2026-11-28T03:00", 1, "2026-11-30T09:00"),  # begun on a Saturday night
        ("2026-11-23T08:00", 9, "2026-11-23T17:00"),  # a whole day ends with the day
        ("2026-12-31T16:30", 1, "2027-01-01T08:30"),  # over the year's end
    ],
)
def test_working_hours(start, hours, due):
    assert deadline(local(start), timedelta(hours=hours), SHANGHAI) == local(due)


def test_holidays_and_days_worked_instead():
    october = WorkingCalendar(
        "Asia/Shanghai",
        special={date(2026, 10, day): False for day in range(1, 8)} | {date(2026, 10, 10): True},
    )
    before = local("2026-09-30T16:00")
    assert deadline(before, timedelta(hours=2), october) == local("2026-10-08T09:00")
    friday = local("2026-10-09T16:30")  # the Saturday after is worked
    assert deadline(friday, timedelta(hours=1), october) == local("2026-10-10T08:30")


def test_a_night_of_summer_time_is_as_long_as_it_was():
    berlin = WorkingCalendar("Europe/Berlin", frozenset(range(7)), time(0), time(23, 59))
    spring = datetime(2027, 3, 28, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    autumn = datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    day = timedelta(hours=23, minutes=59)
    assert elapsed(spring, spring + timedelta(hours=30), berlin) > day - timedelta(hours=1)
    assert berlin.hours_of(date(2027, 3, 28))[1] - spring == day - timedelta(hours=1)
    assert berlin.hours_of(date(2026, 10, 25))[1] - autumn == day + timedelta(hours=1)


def test_around_the_clock_a_pause_moves_the_end_by_its_length():
    start = local("2026-11-23T10:00")
    pause = (start + timedelta(hours=1), start + timedelta(hours=3))
    assert deadline(start, timedelta(hours=4), None, [pause]) == start + timedelta(hours=6)


def test_no_working_hours_at_all_is_a_mistake_that_is_told():
    with pytest.raises(ValueError, match="no working hours"):
        deadline(local("2026-11-23T10:00"), timedelta(1), WorkingCalendar("UTC", frozenset()))
