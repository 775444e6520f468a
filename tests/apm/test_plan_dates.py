"""Due dates: no drift, no gap, no date that a calendar does not have."""

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apm.maintenance.due import (
    add_months,
    first_fixed_due,
    fixed_due,
    floating_due,
    next_fixed_due,
    widest_window_days,
    window,
)

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
INTERVALS = st.integers(1, 60)


@given(DAYS, st.integers(-240, 240))
def test_a_month_later_is_the_same_day_or_the_months_last(day, months):
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    last = monthrange(later.year, later.month)[1]
    assert later.day == min(day.day, last)


@given(DAYS, INTERVALS, st.integers(0, 40))
def test_a_fixed_plan_never_drifts(anchor, interval, k):
    due = anchor
    for _ in range(k):
        due = next_fixed_due(anchor, interval, due)
    assert due == fixed_due(anchor, interval, k)
    if anchor.day <= 28:
        assert due.day == anchor.day


@given(DAYS, INTERVALS, DAYS)
def test_the_first_due_date_is_the_first(anchor, interval, today):
    first = first_fixed_due(anchor, interval, today)
    k, searched = 0, anchor
    while searched < today:  # a search instead of arithmetic
        k += 1
        searched = fixed_due(anchor, interval, k)
    assert first == searched


@given(DAYS, INTERVALS, st.data())
def test_two_windows_never_meet(anchor, interval, data):
    widest = widest_window_days(interval)
    early = data.draw(st.integers(0, min(60, widest)))
    grace = data.draw(st.integers(0, widest - early))
    due = data.draw(st.integers(0, 30).map(lambda k: fixed_due(anchor, interval, k)))
    this = window(due, early_days=early, grace_days=grace)
    following = window(next_fixed_due(anchor, interval, due), early_days=early, grace_days=grace)
    assert this.opens <= this.due <= this.late_after < following.opens


@given(DAYS, INTERVALS)
def test_floating_counts_from_the_completion(done, interval):
    assert floating_due(done, interval) == add_months(done, interval) > done


@pytest.mark.parametrize(
    ("day", "is_open", "was_met"),
    [(-15, False, True), (-14, True, True), (0, True, True), (7, True, True), (8, True, False)],
)
def test_the_window_includes_its_ends(day, is_open, was_met):
    due = date(2026, 3, 1)
    frame = window(due, early_days=14, grace_days=7)
    then = due + timedelta(days=day)
    assert (frame.is_open(then), frame.was_met(then)) == (is_open, was_met)


def test_the_end_of_february_is_no_trap():
    dates = [fixed_due(date(2027, 8, 31), 6, k) for k in range(4)]
    assert dates == [date(2027, 8, 31), date(2028, 2, 29), date(2028, 8, 31), date(2029, 2, 28)]
