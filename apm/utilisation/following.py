"""From new readings to days of use: only the days whose readings changed are worked out anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import zone_of
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.readings.days import groups, waiting
from apm.readings.model import Block, Latest
from apm.readings.series import readings_between
from apm.utilisation.days import (
    AROUND_S,
    DayFound,
    Floats,
    Window,
    counter_rule,
    levels_of,
    state_of,
    window_of,
    work_out,
)
from apm.utilisation.meter_values import write_values
from apm.utilisation.model import COUNTS, STATES, BreakState, Feed, FeedWay, MeterBreak, UseDay
from apm.utilisation.short import hash_of
from apm.utilisation.units import scale_of
from predict.counters import Break, CounterState
from predict.errors import NotEnoughData
from predict.operation import find_levels

AT_ONCE = 60
"""Days worked out in one transaction."""
LEARN = timedelta(days=30)
MOST_LEARNED = 50_000
NEAR_ZERO = {FeedWay.POWER: 0.5, FeedWay.CURRENT: 0.005}
"""W and A below which a device is off for certain: 0.5 W is a usual limit of the off mode."""


def feeds_due(ctx: Context) -> list[int]:
    """Return the ids of feeds whose sensor has said something new."""
    query = (
        select(Feed.id)
        .join(Latest, Latest.sensor_id == Feed.sensor_id)
        .where(Feed.is_active, Latest.at.is_not(None), Latest.revision != Feed.seen_revision)
        .order_by(Feed.id)
    )
    return list(ctx.session.scalars(query))


@command("utilisation.follow", Permission.SYSTEM_RUN)
def follow_feed(ctx: Context, *, feed_id: int) -> bool:
    """Work out the days of a feed whose readings changed; tell whether that was all of them."""
    feed = _locked(ctx, feed_id)
    if feed is None or not feed.is_active:
        return True
    revision = ctx.session.scalar(
        select(Latest.revision).where(Latest.sensor_id == feed.sensor_id)
    )
    zone = zone_of(ctx)
    _learn(ctx, feed, local_day(ctx.now(), zone))
    work = _Work(ctx, feed, zone)
    work.do()
    if work.changed:
        write_values(ctx, feed, zone)
    if work.is_whole:
        feed.seen_revision = revision or 0
    return work.is_whole


def _locked(ctx: Context, feed_id: int) -> Feed | None:
    query = (
        select(Feed)
        .where(Feed.id == feed_id)
        .options(joinedload(Feed.sensor))
        .with_for_update(of=Feed)
        .execution_options(populate_existing=True)
    )
    return ctx.session.scalar(query)


def _learn(ctx: Context, feed: Feed, today: date) -> None:
    """Find the levels of a feed that has none yet, once a day."""
    has_own = feed.off_below is not None and feed.on_above is not None
    if feed.way not in STATES or has_own or feed.levels or feed.levels_on == today:
        if has_own:
            feed.problem = None
        return
    feed.levels_on = today
    newest = ctx.session.scalar(select(Latest.at).where(Latest.sensor_id == feed.sensor_id))
    since = (newest or ctx.now()) - LEARN
    parts = [part.values for part in readings_between(ctx, feed.sensor_id, start=since)]
    values = np.concatenate([np.empty(0), *parts])
    values = values[:: max(1, len(values) // MOST_LEARNED)] * (
        scale_of(feed.way, feed.sensor.unit) or 1.0
    )
    try:
        found = find_levels(np.maximum(values, 0.0), near_zero=NEAR_ZERO[feed.way])
    except NotEnoughData:
        feed.problem = "cannot_tell"
        return
    feed.levels = {**asdict(found), "groups": list(found.groups)}
    feed.problem = None


@dataclass(slots=True)
class _Work:
    """One run over the days of a feed."""

    ctx: Context
    feed: Feed
    zone: str
    changed: int = 0
    is_whole: bool = True

    def do(self) -> None:
        """Work out what changed, oldest first; a counter's carry runs through all days."""
        rows = {row.day: row for row in self._rows()}
        carry = CounterState()
        rule = self._rule()
        for day, stored in self._days():
            row = rows.get(day)
            seen = f"{stored}|{rule}|{_short(carry)}"
            if stored is not None and (row is None or row.seen != seen):
                if self.changed == AT_ONCE:
                    self.is_whole = False
                    return
                row = self._work_out(day, seen, carry, row)
            if row is not None and self.feed.way in COUNTS:
                carry = state_of(row.carry)

    def _rows(self) -> Iterator[UseDay]:
        query = select(UseDay).where(UseDay.feed_id == self.feed.id)
        yield from self.ctx.session.scalars(query)

    def _rule(self) -> str:
        feed = self.feed
        rule: object = counter_rule(feed) if feed.way in COUNTS else levels_of(feed)
        parts = (rule, feed.least_minutes, feed.gap_minutes, feed.volts, feed.phases,
                 feed.power_factor)  # fmt: skip
        return hash_of(repr(parts))

    def _days(self) -> Iterator[tuple[date, str | None]]:
        """Yield each local day with readings, and what the stored readings around it look like.

        Count, sum and bytes of the day blocks, and what waits to be merged into them: they tell
        a late or corrected reading without unpacking a block.  None where readings around the
        day have served their time: what was worked out while they were there stays.
        """
        unmerged = waiting(self.ctx, [self.feed.sensor_id])
        query = (
            select(Block.day, Block.n, Block.total, func.length(Block.data))
            .where(Block.sensor_id == self.feed.sensor_id, Block.n > 0)
            .order_by(Block.day)
        )
        stored = {
            day: None if size is None else f"{n},{total:.9g},{size}"
            for day, n, total, size in self.ctx.session.execute(query)
        }
        for group in groups(unmerged):
            found = group.readings
            added = hash_of(repr((found.times.tolist(), found.values.tolist())))
            stored[group.day] = f"{stored.get(group.day, '')}+{added}"
        days: set[date] = set()
        for day in stored:
            noon = datetime(day.year, day.month, day.day, tzinfo=UTC)
            days |= {local_day(noon, self.zone),
                     local_day(noon + timedelta(hours=23, minutes=59), self.zone)}  # fmt: skip
        around = timedelta(seconds=AROUND_S)
        for day in sorted(days):
            window = window_of(day, self.zone)
            first = (datetime.fromtimestamp(window.start, UTC) - around).date()
            last = (datetime.fromtimestamp(window.end, UTC) + around).date()
            some = [
                stored.get(first + timedelta(days=k), "-") for k in range((last - first).days + 1)
            ]
            known = [one for one in some if one is not None]
            yield day, hash_of(";".join(known)) if len(known) == len(some) else None

    def _work_out(
        self, day: date, seen: str, carry: CounterState, row: UseDay | None
    ) -> UseDay | None:
        """Work out a day; None if it has no reading of its own, only a neighbour's."""
        window = window_of(day, self.zone)
        at, values = _readings(self.ctx, self.feed.sensor_id, window)
        if row is None and not ((at >= window.start) & (at < window.end)).any():
            return None
        self.changed += 1
        found = work_out(self.feed, window, at, values, carry)
        if row is None:
            row = UseDay(feed_id=self.feed.id, day=day)
            self.ctx.session.add(row)
        for name, value in found.columns.items():
            setattr(row, name, value)
        row.seen = seen
        if self.feed.way in COUNTS:
            self._note_breaks(window, found, carry)
        return row

    def _note_breaks(self, window: Window, found: DayFound, carry: CounterState) -> None:
        """Note the breaks found; those not found any more, and not decided, go."""
        ctx, feed = self.ctx, self.feed
        ends = state_of(found.columns["carry"])
        kept = {_moment(one.at) for one in found.breaks}
        kept |= {_moment(ends.waiting[0][0])} if ends.waiting else set()
        first = min([window.start, *(t for t, _ in carry.waiting[:1])])
        query = select(MeterBreak).where(
            MeterBreak.feed_id == feed.id,
            MeterBreak.at >= _moment(first),
            MeterBreak.at < _moment(window.end),
        )
        known = {one.at: one for one in ctx.session.scalars(query)}
        for at, one in known.items():
            if at not in kept and one.state is not BreakState.CONFIRMED:
                ctx.session.delete(one)
        for brk in found.breaks:
            if _moment(brk.at) not in known:
                ctx.session.add(_row_of(feed, brk))


def _row_of(feed: Feed, brk: Break) -> MeterBreak:
    state = BreakState.COUNTED if brk.kind == "rollover" else BreakState.OPEN
    return MeterBreak(
        feed_id=feed.id, at=_moment(brk.at), kind=brk.kind, before=brk.before, after=brk.after,
        state=state, added=0.0,
    )  # fmt: skip


def _moment(second: float) -> datetime:
    return datetime.fromtimestamp(round(second, 6), UTC)


def _readings(ctx: Context, sensor_id: int, window: Window) -> tuple[Floats, Floats]:
    around = timedelta(seconds=AROUND_S)
    start, end = _moment(window.start) - around, _moment(window.end) + around
    parts = list(readings_between(ctx, sensor_id, start=start, end=end))
    times = np.concatenate([np.empty(0), *(part.times / 1e6 for part in parts)])
    return times, np.concatenate([np.empty(0), *(part.values for part in parts)])


def _short(carry: CounterState) -> str:
    return hash_of(repr(carry))
