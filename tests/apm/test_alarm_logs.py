"""Real logs drive the rules, and what they raise agrees with a count by hand."""

import csv
import gzip
from datetime import UTC, datetime, timedelta

import pytest

from apm.alarms.evaluating import evaluate_all
from apm.alarms.rule_commands import Change, set_rule
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm
from tests.apm.test_finding import all_of
from tests.apm.test_real_logs import DATA, log_of, utc

HOLD = timedelta(hours=3)


def by_hand(readings, *, limit, deadband, delay, back, hold):
    """Episodes above a limit, counted reading by reading: (since, raised, ended)."""
    found, since, raised, clear = [], None, None, timedelta(0)
    beyond = timedelta(0)
    for k, (at, value) in enumerate(readings):
        after = readings[k + 1][0] if k + 1 < len(readings) else at
        lasts = min(after - at, hold)
        if raised is None:
            if value <= limit:
                since, beyond = None, timedelta(0)
                continue
            since = since or at
            if beyond + lasts >= delay:
                raised, clear = at + (delay - beyond), timedelta(0)
            beyond += lasts
        elif value <= limit - deadband:
            if clear + lasts >= back:
                found.append((since, raised, at + (back - clear)))
                since, raised, beyond = None, None, timedelta(0)
            clear += lasts
        else:
            clear = timedelta(0)
    return [*found, *([(since, raised, None)] if raised else [])]


def counted(as_, code, readings, *, limit, deadband, delay_s, back_s, parts):
    """The same by the program, the readings arriving in so many parts."""
    wang = as_("wang")
    change = Change(
        True, "Tried", limit=limit, deadband=deadband, on_delay_s=delay_s, off_delay_s=back_s
    )
    set_rule(wang, sensor=code, key="high", change=change)
    size = -(-len(readings) // parts)
    for begin in range(0, len(readings), size):
        part = readings[begin : begin + size]
        ingest(wang, [{"sensor": code, "at": at, "value": value} for at, value in part])
        evaluate_all(as_("system"))
    found = [a for a in all_of(as_, Alarm) if a.evidence["sensor"] == code and a.rule == "high"]
    return [(a.since, a.raised_at, a.ended_at) for a in sorted(found, key=lambda a: a.since)]


@pytest.mark.parametrize(
    ("code", "limit", "hold"),
    [("CT-ROOM", 76.0, HOLD), ("CHILLER", 95.0, timedelta(minutes=15))],
)
def test_the_labelled_logs_raise_what_a_hand_count_finds(as_, code, limit, hold):
    rows, windows = log_of(code)
    readings = sorted({utc(at): value for at, value in rows}.items())
    add_sensor(
        as_("wang"), code=code, name=code, quantity="temperature", unit="°F", location="CT 1"
    )
    found = counted(
        as_, code, readings, limit=limit, deadband=1.0, delay_s=3600, back_s=1800, parts=3
    )
    by = {"delay": timedelta(hours=1), "back": timedelta(minutes=30), "hold": hold}
    assert found == by_hand(readings, limit=limit, deadband=1.0, **by)
    assert len(found) >= 3
    assert windows


def test_a_real_room_raises_what_a_hand_count_finds(as_):
    path = DATA / "room_climate" / "room_climate-location_B-measurement01.csv.gz"
    if not path.is_file():
        pytest.skip(f"the room climate logs are not in {DATA}")
    start = datetime(2016, 3, 31, tzinfo=UTC)
    with gzip.open(path, "rt") as file:
        rows = [(float(r[1]), float(r[5])) for r in csv.reader(file) if int(r[3]) == 1]
    first = rows[0][0]
    readings = sorted({start + timedelta(milliseconds=at - first): v for at, v in rows}.items())
    middle = sorted(v for _, v in readings)[len(readings) // 2]
    add_sensor(as_("wang"), code="B-1", name="B", quantity="humidity", unit="rel", location="B")
    found = counted(
        as_, "B-1", readings, limit=middle, deadband=0.1, delay_s=10, back_s=5, parts=4
    )
    by = {"delay": timedelta(seconds=10), "back": timedelta(seconds=5)}
    assert found == by_hand(readings, limit=middle, deadband=0.1, hold=timedelta(minutes=10), **by)
    assert len(found) >= 3
