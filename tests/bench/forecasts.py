"""What a night of forecasts costs: `python -m tests.bench.forecasts --json`.

A hospital with 10,000 assets of eight categories and two years of work orders (about one failure
an asset and two years), 500 sensors with a limit and 200 days of daily values, a tenth of which
is heading for it.

- `train_life`, `train_trend`, `train_soon`: monthly work, with the proof on the past;
- `first`: the first night after training, which freezes a forecast of every asset;
- `daily`: a night after it, three kinds of models asked about all equipment;
- `alarm`: one asset at once, as when its detector has raised an alarm.

`cpu_seconds` is what our own process worked, not its helpers on other cores.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, func, insert, select

from apm import database
from apm.accounts.commands import add_hospital
from apm.accounts.queries import system_actor
from apm.alarms.model import AlarmRule
from apm.assets.model import Asset
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.factory import load_features
from apm.forecasts.foretelling import foretell_all, foretell_some
from apm.forecasts.model import Forecast, ModelKind
from apm.forecasts.training import train_kind
from apm.readings.model import Block, Sensor
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkState, WorkType

ASSETS, SENSORS, DAYS = 10_000, 500, 730
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
CHUNK = 5_000
CATEGORIES = ("VENT", "MON", "INFP", "SYRP", "DEFIB", "US", "ECG", "CT")


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", help="not used: the hospital is made here")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--assets", type=int, default=ASSETS)
    parser.add_argument("--sensors", type=int, default=SENSORS)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), wanted.assets, min(wanted.sensors, wanted.assets))
    for name, row in results.items():
        print(f"{name:12} {json.dumps(row)}")
    print(json.dumps(results))


def measure(folder: Path, assets: int, sensors: int) -> dict[str, dict[str, Any]]:
    """Return the figures by name, in seconds."""
    load_features()
    engine = make_engine(
        os.environ.get("APM_BENCH_DATABASE_URL") or f"sqlite:///{folder / 'bench.db'}"
    )
    database.upgrade(engine)
    with make_sessions(engine)() as session:
        top = Context(session, system_actor(None))
        hospital_id = add_hospital(top, code="BENCH", name="Bench").id
    rng = np.random.default_rng(20261123)
    _fill(engine, hospital_id, assets, rng)
    _measure_wear(engine, hospital_id, sensors, rng)

    def on(day: float, work: Callable[[Context], Any]) -> dict[str, Any]:
        with make_sessions(engine)() as session:
            ctx = Context(session, system_actor(hospital_id), lambda: NOW + timedelta(days=day))
            began, worked = time.perf_counter(), time.process_time()
            found = work(ctx)
            return {
                "seconds": round(time.perf_counter() - began, 2),
                "cpu_seconds": round(time.process_time() - worked, 2),
                "made": str(found),
            }

    results = {
        f"train_{kind.value}": on(0, lambda ctx, kind=kind: _state(ctx, kind))
        for kind in ModelKind
    }
    results["first"] = on(0.01, lambda ctx: foretell_all(ctx, train=False))
    results["daily"] = on(1, lambda ctx: foretell_all(ctx, train=False))
    results["alarm"] = on(1.1, lambda ctx: foretell_some(ctx, [1]))
    with make_sessions(engine)() as session:
        ctx = Context(session, system_actor(hospital_id))
        shown = ctx.session.scalar(
            select(func.count(Forecast.id)).where(Forecast.kind == ModelKind.LIFE)
        )
    engine.dispose()
    if shown != assets:
        raise RuntimeError(f"{shown} forecasts for {assets} assets")
    return results


def _state(ctx: Context, kind: ModelKind) -> str:
    made = train_kind(ctx, kind, why="first")
    return getattr(made, "state", made)


def _fill(engine: Engine, hospital_id: int, n: int, rng: np.random.Generator) -> None:
    began = NOW - timedelta(days=DAYS)
    assets, trail, orders = [], [], []
    for k in range(n):
        category = CATEGORIES[k % len(CATEGORIES)]
        assets.append({
            "id": k + 1, "hospital_id": hospital_id, "code": f"B{k:07}", "number": f"N{k}",
            "name": "Device", "category": category, "manufacturer": f"Maker {k % 5}",
            "model": f"Model {k % 40}", "lifecycle": "in_service", "availability": "up",
            "condition": "good", "risk": ("high", "medium", "low")[k % 3], "currency": "CNY",
            "version": 1, "in_service_on": began.date(),
        })  # fmt: skip
        trail.append({
            "chain": hospital_id, "seq": k - n, "at": began, "actor": "bench", "command": "bench",
            "entity": "Asset", "entity_id": k + 1, "changes": {"code": [None, f"B{k:07}"]},
            "prev_hash": "", "hash": "",
        })  # fmt: skip
        at = float(rng.exponential(365.0 * (1 + k % 3)))
        while at < DAYS:
            when = began + timedelta(days=at)
            orders.append({
                "hospital_id": hospital_id, "no": f"WO-B-{len(orders):07}", "asset_id": k + 1,
                "type": WorkType.CORRECTIVE, "title": "Repair", "state": WorkState.CLOSED,
                "priority": Priority.NORMAL, "high_risk": False, "created_at": when,
                "done_at": when + timedelta(days=1), "closed_at": when + timedelta(days=1),
                "labour_minutes": 0, "version": 1,
            })  # fmt: skip
            at += 1.0 + float(rng.exponential(365.0 * (1 + k % 3)))
    for table, rows in ((Asset, assets), (AuditEntry, trail), (WorkOrder, orders)):
        _insert(engine, table, rows)


def _measure_wear(engine: Engine, hospital_id: int, n: int, rng: np.random.Generator) -> None:
    first = NOW.date() - timedelta(days=200)
    sensors, rules, blocks = [], [], []
    for k in range(n):
        sensors.append({
            "id": k + 1, "hospital_id": hospital_id, "code": f"S{k}", "name": "Output",
            "asset_id": k + 1, "quantity": "output", "unit": "mGy",
        })  # fmt: skip
        rules.append({
            "hospital_id": hospital_id, "sensor_id": k + 1, "key": "low", "is_on": True,
            "limit": 10.0, "reason": "bench", "changed_by": "bench", "changed_at": NOW,
            "version": 1,
        })  # fmt: skip
        pace = 0.06 if k % 10 == 0 else 0.0
        for day in range(200):
            value = 25.0 - pace * day + float(rng.normal(0, 0.2))
            blocks.append({
                "hospital_id": hospital_id, "sensor_id": k + 1, "day": first + timedelta(days=day),
                "n": 1, "low": value, "high": value, "total": value, "sealed": True, "version": 1,
            })  # fmt: skip
    for table, rows in ((Sensor, sensors), (AlarmRule, rules), (Block, blocks)):
        _insert(engine, table, rows)


def _insert(engine: Engine, table: Any, rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), CHUNK):
        with engine.execution_options(apm_writing=True).begin() as connection:
            connection.execute(insert(table), rows[begin : begin + CHUNK])


if __name__ == "__main__":
    sys.exit(main())
