"""How much equipment is used: by day, by hour and weekday, and department beside department."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select

from apm.assets.model import Asset, Department
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.maintenance.model import MeterKind
from apm.utilisation.model import STATES, Feed, FeedWay, UseDay
from apm.utilisation.queries import days_of, feeds_of_asset
from apm.utilisation.span import Span

HOUR = 3600.0


@dataclass(slots=True)
class DayUse:
    """One day of an asset; None where nobody can tell.  The rest of the 24 hours is unknown."""

    day: date
    on_h: float | None = None
    standby_h: float | None = None
    off_h: float | None = None
    starts: int | None = None
    kwh: float | None = None
    counted: dict[MeterKind, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a weekday: the share of its known time that the asset was on, of `n` days."""

    share: float | None
    n: int


@dataclass(frozen=True, slots=True)
class AssetUse:
    """What is known of an asset's use in a period."""

    span: Span
    feeds: list[Feed]
    days: list[DayUse]
    grid: list[list[Cell]]
    """Seven weekdays from Monday, 24 hours each; empty where states cannot be told."""

    def total(self, name: str) -> float | None:
        """Return the sum of a column over the days that know it; None if none does."""
        known = [value for day in self.days if (value := getattr(day, name)) is not None]
        return sum(known) if known else None

    @property
    def share_on(self) -> float | None:
        """The share of the known time that it was on."""
        known = sum((self.total(n) or 0.0) for n in ("on_h", "standby_h", "off_h"))
        return (self.total("on_h") or 0.0) / known if known else None


def asset_use(ctx: Context, asset: Asset, span: Span) -> AssetUse:
    """Return how an asset was used.  Two statements."""
    feeds = feeds_of_asset(ctx, asset.id)
    by_id = {feed.id: feed for feed in feeds}
    rows = days_of(ctx, list(by_id), span.first, span.last)
    main = next((f for f in feeds if f.way in STATES), None)
    days: dict[date, DayUse] = {}
    for row in rows:
        feed = by_id[row.feed_id]
        _tell(days.setdefault(row.day, DayUse(row.day)), row, feed, is_main=feed is main)
    grid = _grid([r for r in rows if main and r.feed_id == main.id and r.on_s is not None])
    return AssetUse(span, feeds, [days[d] for d in sorted(days)], grid)


def _tell(day: DayUse, row: UseDay, feed: Feed, *, is_main: bool) -> None:
    if is_main and row.on_s is not None:
        day.on_h = row.on_s / HOUR
        day.standby_h, day.off_h = (row.standby_s or 0) / HOUR, (row.off_s or 0) / HOUR
        day.starts = row.starts
    if feed.gives_energy and row.wh is not None:
        day.kwh = row.wh / 1000
    if feed.way is FeedWay.COUNTER and feed.meter is not None and row.counted is not None:
        day.counted[feed.meter] = row.counted


def _grid(rows: list[UseDay]) -> list[list[Cell]]:
    if not rows:
        return []
    on: dict[tuple[int, int], float] = defaultdict(float)
    known: dict[tuple[int, int], float] = defaultdict(float)
    seen: dict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        for hour, told in enumerate(row.hours):
            if (whole := sum(told[:3])) > 0:
                key = row.day.weekday(), hour
                on[key] += told[0]
                known[key] += whole
                seen[key] += 1
    return [
        [
            Cell(on[k] / known[k] if known.get(k) else None, seen.get(k, 0))
            for k in ((day, hour) for hour in range(24))
        ]
        for day in range(7)
    ]


@dataclass(slots=True)
class GroupUse:
    """The use of a department's metered devices.

    share_on: of their known time; lowest and highest: of single devices.  n: devices; n_days:
    days with readings, summed over them.
    """

    name: str
    on_h: float = 0.0
    standby_h: float = 0.0
    off_h: float = 0.0
    n: int = 0
    n_days: int = 0
    shares: list[float] = field(default_factory=list)

    @property
    def share_on(self) -> float | None:
        """The share of the known time that the devices were on."""
        known = self.on_h + self.standby_h + self.off_h
        return self.on_h / known if known else None


def department_use(ctx: Context, span: Span) -> list[GroupUse]:
    """Return the departments whose devices tell their states, the most used first."""
    query = (
        select(
            Asset.department_id,
            Feed.asset_id,
            func.sum(UseDay.on_s),
            func.sum(UseDay.standby_s),
            func.sum(UseDay.off_s),
            func.count(UseDay.id),
        )
        .join_from(UseDay, Feed, Feed.id == UseDay.feed_id)
        .join(Asset, Asset.id == Feed.asset_id)
        .where(
            UseDay.day >= span.first,
            UseDay.day <= span.last,
            UseDay.on_s.is_not(None),
            Feed.way.in_(STATES),
        )
        .group_by(Asset.department_id, Feed.asset_id)
        .order_by(Asset.department_id, Feed.asset_id)
    )
    names = {
        row.id: choose(row.name, row.name_zh)
        for row in ctx.session.execute(select(Department.id, Department.name, Department.name_zh))
    }
    found: dict[int | None, GroupUse] = {}
    for department, _asset, *sums, days in ctx.session.execute(query):
        on, standby, off = (float(one or 0.0) for one in sums)
        name = names.get(department, _("No department"))
        group = found.setdefault(department, GroupUse(name))
        group.on_h += on / HOUR
        group.standby_h += standby / HOUR
        group.off_h += off / HOUR
        group.n += 1
        group.n_days += days
        if on + standby + off > 0:
            group.shares.append(on / (on + standby + off))
    return sorted(found.values(), key=lambda g: (-(g.share_on or 0.0), g.name))
