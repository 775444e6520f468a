"""Errors of devices' own logs as signs before failures: forecasts learn from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from apm.attribution.model import DeviceEvent
from apm.core.command import Context
from apm.forecasts.histories import LOGS, days_of

AT_ONCE = "api"
"""The source of lines that devices send as they happen.  A log that is brought as a file was not
known when its lines were written, and would be news from the future."""


def errors_of(ctx: Context, at: datetime, only: Sequence[int] | None) -> dict[int, list[float]]:
    """Return when each asset reported an error, up to `at`."""
    query = (
        select(DeviceEvent.asset_id, DeviceEvent.at)
        .where(
            DeviceEvent.source == AT_ONCE, DeviceEvent.severity == "error", DeviceEvent.at <= at
        )
        .order_by(DeviceEvent.at)
    )
    if only is not None:
        query = query.where(DeviceEvent.asset_id.in_(only))
    found: dict[int, list[float]] = defaultdict(list)
    for asset_id, when in ctx.session.execute(query):
        found[asset_id].append(days_of(when))
    return found


LOGS.add("errors", errors_of)
