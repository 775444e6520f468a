"""What the due engine costs: `python -m tests.bench.maintenance --json`.

A hospital with 100,000 assets and 150,000 plans in the middle of their lives: windows open evenly
over the interval of each plan, a twentieth of the assets is on standby.

- `daily`: the run of a normal day, from looking for what is due to the last work order with its
  checklist and audit entries;
- `rerun`: the same again: it must find nothing to do and change nothing;
- `asleep`: a day five days later, the worker having slept meanwhile;
- `simulation`: twelve months of 1,000 devices, from the database to the figures.

`cpu_seconds` is what our own process worked: it tells a busy machine from a slow program.

With APM_BENCH_DATABASE_URL another, empty database is measured, PostgreSQL for example.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, func, insert, select

from apm import database
from apm.accounts.commands import add_hospital
from apm.accounts.queries import system_actor
from apm.assets.model import Asset
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.factory import load_features
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import Occurrence, Plan, PlanMode
from apm.maintenance.workload import Scope, simulated
from apm.procedures.catalogue import templates
from apm.work.model import WorkOrder
from tests.bench.register import fill

ASSETS, PLANS, SIMULATED = 100_000, 150_000, 1_000
EARLY = GRACE = 14
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
CHUNK = 10_000


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", help="not used: the hospital is made here")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--assets", type=int, default=ASSETS)
    parser.add_argument("--plans", type=int, default=PLANS)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), wanted.assets, wanted.plans)
    for name, row in results.items():
        print(f"{name:10} {json.dumps(row)}")
    print(json.dumps(results))


def measure(folder: Path, assets: int, plans: int) -> dict[str, dict[str, Any]]:
    """Return the figures by name, in seconds."""
    load_features()
    engine = make_engine(
        os.environ.get("APM_BENCH_DATABASE_URL") or f"sqlite:///{folder / 'bench.db'}"
    )
    database.upgrade(engine)
    with make_sessions(engine)() as session:
        top = Context(session, system_actor(None))
        hospital_id = add_hospital(top, code="BENCH", name="Bench").id
    fill(engine, hospital_id, assets)
    _plan(engine, hospital_id, assets, plans)

    def on(day: int, work: Callable[[Context], object]) -> dict[str, Any]:
        with make_sessions(engine)() as session:
            ctx = Context(session, system_actor(hospital_id), lambda: NOON + timedelta(days=day))
            before = _written(ctx)
            began, worked = time.perf_counter(), time.process_time()
            found = work(ctx)
            return {
                "seconds": round(time.perf_counter() - began, 2),
                "cpu_seconds": round(time.process_time() - worked, 2),
                "made": found,
                "rows": _written(ctx) - before,
            }

    results = {
        "daily": on(0, generate_due),
        "rerun": on(0, generate_due),
        "asleep": on(5, generate_due),
        "simulation": on(0, _simulate),
    }
    _check(engine, results)
    engine.dispose()
    return results


def _written(ctx: Context) -> int:
    tables = (Occurrence, WorkOrder, AuditEntry)
    return sum(ctx.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables)


def _simulate(ctx: Context) -> int:
    return int(simulated(ctx, Scope(), capacity_hours=5_000, most=SIMULATED).year.visits.sum())


def _check(engine: Engine, results: dict[str, dict[str, Any]]) -> None:
    """Refuse figures of a run that did something else than it should."""
    if results["rerun"]["rows"] or results["rerun"]["made"]:
        raise RuntimeError(f"running again changed something: {results['rerun']}")
    with engine.connect() as connection:
        late = connection.scalar(
            select(func.count())
            .select_from(Plan)
            .join(Asset, Asset.id == Plan.asset_id)
            .where(
                Asset.lifecycle == "in_service",
                Plan.next_due <= (NOON + timedelta(days=5 + EARLY)).date(),
            )
        )
    if late:
        raise RuntimeError(f"{late} plans were left without work")


def _plan(engine: Engine, hospital_id: int, assets: int, plans: int) -> None:
    """Every asset has a plan, some two; what is due before today is behind them."""
    rng, known = Random(20261122), list(templates().values())
    today: date = NOON.date()
    rows: list[dict[str, Any]] = []
    for k in range(plans):
        kind = known[(k + k // assets) % len(known)]
        days = rng.randrange(30 * kind.interval_months)
        due = today + timedelta(days=EARLY + days)
        rows.append({
            "hospital_id": hospital_id, "asset_id": 1 + k % assets, "template_code": kind.code,
            "mode": PlanMode.FIXED if k % 4 else PlanMode.FLOATING,
            "interval_months": kind.interval_months, "anchor": due, "early_days": EARLY,
            "grace_days": GRACE, "is_active": True, "next_due": due, "next_seq": 1, "version": 1,
        })  # fmt: skip
    for begin in range(0, plans, CHUNK):
        with engine.execution_options(apm_writing=True).begin() as connection:
            connection.execute(insert(Plan), rows[begin : begin + CHUNK])


if __name__ == "__main__":
    sys.exit(main())
