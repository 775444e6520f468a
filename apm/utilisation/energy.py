"""Energy by device, room or department: kWh, standby, money and CO2, and how much is known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import func, select

from apm.assets.model import Asset, AssetState, Department, Location
from apm.core.command import Context
from apm.core.i18n import _, choose, ngettext
from apm.utilisation.model import EnergyTerms, Feed, FeedWay, UseDay
from apm.utilisation.queries import terms_of
from apm.utilisation.span import Span

IN_OPERATION = frozenset(
    {AssetState.IN_SERVICE, AssetState.ON_LOAN, AssetState.UNDER_REPAIR, AssetState.QUARANTINED}
)
WH = 1000.0


@dataclass(slots=True)
class Line:
    """The energy of one device, room or department.

    kwh: what was measured, nothing filled in.  kwh_standby: of it while in standby, of the
    `n_standby` devices whose states can be told.  known_s: measured seconds of all devices.
    n: devices measured; of: devices in operation there, measured or not.
    """

    name: str
    url: str = ""
    kwh: float = 0.0
    kwh_standby: float = 0.0
    n_standby: int = 0
    known_s: float = 0.0
    n: int = 0
    of: int = 0
    assumptions: list[str] = field(default_factory=list)

    def coverage(self, span: Span) -> float | None:
        """Return the share of the period that was measured, of the devices measured at all."""
        whole = span.seconds * self.n
        return min(1.0, self.known_s / whole) if whole else None


@dataclass(frozen=True, slots=True)
class Report:
    """A period's energy: a line each, the largest first, and all together."""

    span: Span
    lines: list[Line]
    total: Line
    terms: EnergyTerms | None

    def money(self, kwh: float) -> int | None:
        """Return what so much costs, in minor units; None while no price is set."""
        if self.terms is None or self.terms.price_per_mwh is None:
            return None
        return round(kwh * self.terms.price_per_mwh / 1000)

    def co2_kg(self, kwh: float) -> float | None:
        """Return the CO2 it stands for; None while no factor is chosen."""
        if self.terms is None or self.terms.factor_g_per_kwh is None:
            return None
        return kwh * self.terms.factor_g_per_kwh / 1000


def energy(ctx: Context, span: Span) -> Report:
    """Return the energy of a period.  Four statements, whatever the size."""
    lines: dict[object, Line] = {}
    total = Line(_("All together"))
    counted = _in_operation(ctx, span.by)
    for row in _measured(ctx, span):
        asset, department, room = row[0], row[1], row[2]
        key, name, url = _place(span.by, asset, department, room)
        line = lines.setdefault(key, Line(name, url, of=counted.get(key, 0)))
        for one in (line, total):
            _add(one, row)
    total.of = sum(counted.values())
    ordered = sorted(lines.values(), key=lambda line: (-line.kwh, line.name, line.url))
    return Report(span, ordered, total, terms_of(ctx))


def _add(line: Line, row: tuple[object, ...]) -> None:
    feed = row[3]
    wh, standby, known = (float(value or 0.0) for value in row[4:7])  # type: ignore[arg-type]
    line.kwh += wh / WH
    line.known_s += known
    line.n += 1
    if row[5] is not None:
        line.kwh_standby += standby / WH
        line.n_standby += 1
    if isinstance(feed, Feed) and feed.way is FeedWay.CURRENT:
        line.assumptions.append(assumption(feed))


def assumption(feed: Feed) -> str:
    """Return what is assumed where power is worked out from a current."""
    return ngettext(
        "%(volts)s V, %(n)s phase, power factor %(factor)s",
        "%(volts)s V, %(n)s phases, power factor %(factor)s",
        feed.phases,
        volts=f"{feed.volts:g}",
        factor=f"{feed.power_factor or 1:g}",
    )


def _measured(ctx: Context, span: Span) -> list[tuple[object, ...]]:
    sums = (
        select(
            UseDay.feed_id,
            func.sum(UseDay.wh).label("wh"),
            func.sum(UseDay.wh_standby).label("standby"),
            func.sum(UseDay.known_s).label("known"),
        )
        .where(UseDay.day >= span.first, UseDay.day <= span.last, UseDay.wh.is_not(None))
        .group_by(UseDay.feed_id)
        .subquery()
    )
    query = (
        select(Asset, Department, Location, Feed, sums.c.wh, sums.c.standby, sums.c.known)
        .select_from(Feed)
        .join(sums, sums.c.feed_id == Feed.id)
        .join(Asset, Asset.id == Feed.asset_id)
        .outerjoin(Department, Department.id == Asset.department_id)
        .outerjoin(Location, Location.id == Asset.location_id)
        .where(Feed.gives_energy)
        .order_by(Feed.id)
    )
    return [tuple(row) for row in ctx.session.execute(query)]


def _in_operation(ctx: Context, by: str) -> dict[object, int]:
    """Return how many devices in operation each group has."""
    column = {"device": Asset.id, "room": Asset.location_id, "department": Asset.department_id}[by]
    query = (
        select(column, func.count(Asset.id))
        .where(Asset.lifecycle.in_(IN_OPERATION))
        .group_by(column)
    )
    found: dict[object, int] = defaultdict(int)
    for key, n in ctx.session.execute(query):
        found[key] += n
    return found


def _place(by: str, asset: object, department: object, room: object) -> tuple[object, str, str]:
    if by == "department":
        if isinstance(department, Department):
            return department.id, choose(department.name, department.name_zh), ""
        return None, _("No department"), ""
    if by == "room":
        if isinstance(room, Location):
            return room.id, choose(room.name, room.name_zh), ""
        return None, _("No room"), ""
    if not isinstance(asset, Asset):
        raise TypeError("a feed stands on an asset")
    return asset.id, choose(asset.name, asset.name_zh), f"/assets/{asset.code}/use"
