"""Reading connections and how they fare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from apm.accounts.model import Hospital
from apm.collecting.model import Connection, Link, LinkState, Point
from apm.collecting.spec import Spec, spec_of
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.readings.model import Sensor

QUIET_AFTER = timedelta(minutes=5)
QUIET_PERIODS = 5
"""A connection that has sent nothing for so many of its periods, and five minutes, is quiet."""


def connection_by_id(ctx: Context, connection_id: int) -> Connection:
    """Return a connection with its points, their sensors and its link, or raise `NotFound`."""
    found = ctx.session.scalar(_whole().where(Connection.id == connection_id))
    if found is None:
        raise NotFound(_l("There is no such connection. Choose one from the list."))
    return found


def point_by_id(ctx: Context, connection_id: int, point_id: int) -> Point:
    """Return a point of a connection with its sensor, or raise `NotFound`."""
    query = select(Point).where(Point.id == point_id, Point.connection_id == connection_id)
    found = ctx.session.scalar(query.options(joinedload(Point.sensor)))
    if found is None:
        raise NotFound(_l("This connection has no such point. Choose one from its list."))
    return found


def connections_page(
    ctx: Context, *, after: str | None = None, limit: int = 50
) -> Page[Connection]:
    """Return one page of the connections with their links, by name."""
    query = select(Connection).options(joinedload(Connection.link))
    return page_of(ctx.session, query, by=[Connection.name], after=after, limit=limit)


def counts_of_points(ctx: Context, ids: Iterable[int]) -> dict[int, int]:
    """Return how many points each of these connections has; those without are left out."""
    query = select(Point.connection_id, func.count()).where(Point.connection_id.in_(list(ids)))
    rows = ctx.session.execute(query.group_by(Point.connection_id))
    return {connection_id: n for connection_id, n in rows}  # noqa: C416  (rows are no tuples)


def sensors_to_choose(ctx: Context, *, most: int = 2000) -> list[Sensor]:
    """Return the hospital's sensors by code, for the form of a point."""
    return list(ctx.session.scalars(select(Sensor).order_by(Sensor.code).limit(most)))


def sensor_with_code(ctx: Context, code: str) -> Sensor | None:
    """Return a sensor of the hospital, None if there is none."""
    return ctx.session.scalar(select(Sensor).where(Sensor.code == code))


def enabled_specs(ctx: Context, hospital: str | None) -> list[Spec]:
    """Return what a collector is to run; `ctx` is the system's.

    Args:
        ctx: of no hospital, to see all.
        hospital: a hospital's code, None for every hospital.
    """
    rows = ctx.session.execute(select(Hospital.id, Hospital.code))
    codes = {id_: code for id_, code in rows}  # noqa: C416  (rows are no tuples)
    wanted = [id_ for id_, code in codes.items() if hospital in (None, code)]
    query = _whole().where(Connection.is_enabled, Connection.hospital_id.in_(wanted))
    found = ctx.session.scalars(
        query.order_by(Connection.id).execution_options(populate_existing=True)
    )
    return [spec_of(row, codes[row.hospital_id]) for row in found]


def standing(connection: Connection, now: datetime) -> str:
    """Return where a connection stands, in the words of the labels.

    `off`, `no_collector`, `waiting`, `connecting`, `failing`, `quiet`, `connected`.
    """
    link = connection.link
    if not connection.is_enabled:
        return "off"
    if link.until is None or link.until <= now:
        return "no_collector"
    if link.state is LinkState.CONNECTED:
        quiet = max(QUIET_AFTER, QUIET_PERIODS * timedelta(seconds=connection.period_s))
        last = max(filter(None, (link.last_at, link.since)), default=None)
        return "quiet" if last is not None and now - last > quiet else "connected"
    return str(link.state)


def is_skewed(connection: Connection) -> bool:
    """Tell whether the device's clock is further from ours than it may be."""
    skew = connection.link.skew_s
    return skew is not None and abs(skew) > connection.max_skew_s


def links_of(ctx: Context, ids: Iterable[int]) -> list[Link]:
    """Return the links of these connections."""
    return list(ctx.session.scalars(select(Link).where(Link.connection_id.in_(list(ids)))))


def _whole() -> Select[Connection]:
    return select(Connection).options(
        selectinload(Connection.points).joinedload(Point.sensor), joinedload(Connection.link)
    )
