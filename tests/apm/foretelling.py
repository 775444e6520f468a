"""A hospital with a past: equipment, failures and readings, each at its own instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from apm.accounts.queries import system_actor
from apm.assets.model import Asset
from apm.core.command import Context
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Sensor
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType
from tests.apm.hospital import make_asset, make_work

START = datetime(2024, 1, 1, tzinfo=UTC)


def on(ctx: Context, day: float) -> Context:
    """The same session and hospital as the system, so many days after `START`."""
    moment = START + timedelta(days=day)
    return Context(ctx.session, system_actor(ctx.actor.hospital_id), lambda: moment)


def device(ctx: Context, day: float = 0.0, **details: Any) -> Asset:
    """A device registered on a day, new then."""
    details = {"in_service_on": (START + timedelta(days=day)).date(), **details}
    return make_asset(on(ctx, day), **details)


def failure(
    ctx: Context, asset: Asset, day: float, *, repaired_after: float | None = 1.0, **facts: Any
) -> WorkOrder:
    """A failure reported on a day, repaired some days later (None: not yet)."""
    then = on(ctx, day)
    order = make_work(then, ctx.session.get(Asset, asset.id), **facts)
    if repaired_after is not None:
        finish(ctx, order, day + repaired_after)
    return order


def finish(ctx: Context, order: WorkOrder, day: float, **facts: Any) -> None:
    """Work done on a day; the way there is tried elsewhere."""
    then = on(ctx, day)
    with then.writing("test.finish"):
        order.state, order.done_at = WorkState.DONE, then.now()
        for name, value in facts.items():
            setattr(order, name, value)


def fleet(ctx: Context, *, n: int = 24, days: int = 700, seed: int = 1) -> list[Asset]:
    """Monitors that fail by chance: bad ones of one make, good ones of another."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(n):
        bad = k % 2 == 0
        asset = device(ctx, manufacturer="Acme", model="Bad" if bad else "Good")
        found.append(asset)
        at = 0.0
        while (at := at + float(rng.exponential(60.0 if bad else 600.0))) < days:
            failure(ctx, asset, at, repaired_after=0.5)
    return found


def falling(
    ctx: Context, asset: Asset, code: str, value: Callable[[float], float], days: int
) -> Sensor:
    """A sensor on equipment with a lower limit of 10, read twice a day from `START` on."""
    engineer = on(ctx, 0.0)
    sensor = add_sensor(
        engineer, code=code, name="Tube output", name_zh="球管输出", quantity="output", unit="mGy",
        asset=asset.code,
    )  # fmt: skip
    ingest(
        on(ctx, days),
        [
            {"sensor": code, "at": START + timedelta(days=k / 2), "value": value(k / 2)}
            for k in range(2 * days)
        ],
    )
    merge_inbox(on(ctx, days))
    return sensor


PREDICTIVE = WorkType.PREDICTIVE
