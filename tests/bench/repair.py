"""What repair costs at rush hour: `python -m tests.bench.repair --json`.

One hospital with 5,000 open reports and their work orders, `apm serve` with two processes:

- `report`: 50 reporters without a login at once, each of whom takes five seconds for the three
  taps of a report (nobody is faster), again and again; the time until the redirect;
- `flood`: the same with one second for each, which is more than two cores can take;
- `burst`: the same 50 press Send at the same instant, so each also waits for the others;
- `my_work`: an engineer's page of the day;
- `page_3g`: the report page, opened cold in Chromium over a simulated 3G line (1.6 Mbit/s down,
  768 kbit/s up, 300 ms round trip, the profile WebPageTest calls 3G), until it can be used, and
  how many bytes that took.

With APM_BENCH_DATABASE_URL another, empty database is measured, PostgreSQL for example.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from shutil import which
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import sync_playwright
from sqlalchemy import Engine, insert, select

from apm import database
from apm.accounts.commands import add_hospital, add_user
from apm.accounts.queries import system_actor
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.permissions import Role
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.requests.symptoms import symptoms_for
from apm.work.model import Counter, WorkOrder
from apm.work.states import PRIORITY_RANK, WorkState, WorkType
from tests.bench.register import fill
from tests.bench.serving import PASSWORD, bare, quantiles, serve, signed_in, time_of

ASSETS, OPEN, REPORTERS, ROUNDS = 20_000, 5_000, 50, 6
TAPS_S, FLOOD_S = 5.0, 1.0
DOWN, UP, ROUND_TRIP_MS = 1_600_000 / 8, 768_000 / 8, 300
"""Bytes a second."""
USABLE = "document.readyState === 'complete' && !!document.querySelector('form.report button')"


def main() -> None:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", help="not used: the hospital is made here")
    parser.add_argument("--json", action="store_true")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder))
    for name, row in results.items():
        print(f"{name:10} {json.dumps(row)}")
    print(json.dumps(results))


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the figures by story, times in ms, with the ratio to a bare view where one fits."""
    url = os.environ.get("APM_BENCH_DATABASE_URL") or f"sqlite:///{folder / 'bench.db'}"
    engine = make_engine(url)
    database.upgrade(engine)
    hospital_id = _hospital(engine)
    sample = fill(engine, hospital_id, ASSETS)
    _open_work(engine, hospital_id, sample)
    with engine.connect() as connection:  # one asset takes only so many reports an hour
        codes = list(connection.scalars(select(Asset.code).limit(2_000)))
    engine.dispose()
    with bare(folder) as empty:
        floor = time_of(httpx.Client(base_url=empty), lambda: "/")
    results: dict[str, dict[str, Any]] = {"bare_view": floor}
    with serve(url) as base:
        _together(base, codes, 1, FLOOD_S)  # caches
        results["report"] = _rush(base, codes, TAPS_S)
        results["flood"] = _rush(base, codes, FLOOD_S)
        results["burst"] = _burst(base, codes)
        mine = time_of(signed_in(base), lambda: "/")
        results["my_work"] = {**mine, "vs_bare": round(mine["p50_ms"] / floor["p50_ms"], 1)}
        results["page_3g"] = _over_3g(f"{base}/a/{sample[0].code}")
    return results


def _hospital(engine: Engine) -> int:
    with make_sessions(engine)() as session:
        made = add_hospital(Context(session, system_actor(None)), code="BENCH", name="Bench")
        add_user(
            Context(session, system_actor(made.id)),
            email="e@bench.example", name="Engineer", role=Role.ENGINEER, password=PASSWORD,
        )  # fmt: skip
        return made.id


def _open_work(engine: Engine, hospital_id: int, sample: list[Asset]) -> None:
    """Half of the open reports wait for triage, the others have an order that is worked on."""
    rng, now, year = Random(1), datetime.now(UTC), datetime.now(UTC).year
    requests, orders = [], []
    for k in range(1, OPEN + 1):
        asset, at = rng.choice(sample), now - timedelta(minutes=rng.randrange(20_000))
        is_new = k % 2 == 0
        requests.append({
            "hospital_id": hospital_id, "no": f"R-{year}-{k:06d}", "asset_id": asset.id,
            "symptom": rng.choice(symptoms_for(asset.category)).code, "reported_at": at,
            "client_key": uuid4().hex, "triage": Triage.OPEN if is_new else Triage.ACCEPTED,
            "patient_involved": False, "verified_by_silence": False, "version": 1,
            "work_order_id": None if is_new else k,
        })  # fmt: skip
        if not is_new:
            orders.append({
                "id": k, "hospital_id": hospital_id, "no": f"WO-{year}-{k:06d}",
                "type": WorkType.CORRECTIVE, "asset_id": asset.id, "title": f"{asset.name}: alarm",
                "state": WorkState.PLANNED if k % 3 else WorkState.WAITING_PARTS,
                "priority": rng.choice(list(PRIORITY_RANK)), "high_risk": False, "created_at": at,
                "labour_minutes": 0, "version": 1, "due_on": (at + timedelta(days=3)).date(),
            })  # fmt: skip
    counters = [
        {"hospital_id": hospital_id, "kind": f"{kind}-{year}", "last": OPEN}
        for kind in ("R", "WO")
    ]
    with engine.execution_options(apm_writing=True).begin() as connection:
        connection.execute(insert(Counter), counters)
        connection.execute(insert(WorkOrder), orders)
        connection.execute(insert(Request), requests)


def _send(client: httpx.Client, code: str, reporter: int) -> float:
    """Send one report; return the ms until it is acknowledged."""
    form = {"symptom": "other", "nonce": uuid4().hex, "description": "Makes a noise"}
    origin = str(client.base_url).rstrip("/")
    via = {"Origin": origin, "X-Forwarded-For": f"10.1.{reporter}.{uuid4().int % 250}"}
    began = time.perf_counter()
    answer = client.post(f"/a/{code}", data=form, headers=via)
    took = 1000 * (time.perf_counter() - began)
    if answer.status_code != 303:
        raise RuntimeError(f"not taken: {answer.status_code} {answer.text[:300]}")
    return took


def _together(base: str, codes: list[str], rounds: int, pause_s: float) -> list[float]:
    took: list[float] = []
    gate = threading.Barrier(REPORTERS)

    def report(reporter: int) -> None:
        rng = Random(reporter)
        with httpx.Client(base_url=base, timeout=60) as client:
            client.get("/healthz")  # a phone has opened the page before: the line is up
            gate.wait()
            for _ in range(rounds):
                time.sleep(pause_s * rng.uniform(0.5, 1.5))
                took.append(_send(client, rng.choice(codes), reporter))

    threads = [threading.Thread(target=report, args=[k]) for k in range(REPORTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(took) != REPORTERS * rounds:
        raise RuntimeError(f"{len(took)} of {REPORTERS * rounds} reports were acknowledged")
    return took


def _rush(base: str, codes: list[str], pause_s: float) -> dict[str, Any]:
    began = time.perf_counter()
    took = _together(base, codes, ROUNDS, pause_s)
    per_s = len(took) / (time.perf_counter() - began)
    return {**quantiles(took), "n": len(took), "reports_per_s": round(per_s, 1)}


def _burst(base: str, codes: list[str]) -> dict[str, Any]:
    took = _together(base, codes, 1, 0.0)
    return {**quantiles(took), "n": len(took)}


def _over_3g(address: str) -> dict[str, float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium-headless-shell") or which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        seconds, sizes = [], []
        for _ in range(5):
            context = browser.new_context(viewport={"width": 390, "height": 844})
            page = context.new_page()
            line = context.new_cdp_session(page)
            line.send("Network.enable")
            line.send("Network.emulateNetworkConditions", {
                "offline": False, "latency": ROUND_TRIP_MS, "downloadThroughput": DOWN,
                "uploadThroughput": UP,
            })  # fmt: skip
            received: list[float] = []
            line.on(
                "Network.loadingFinished",
                lambda e, kept=received: kept.append(e["encodedDataLength"]),
            )
            began = time.perf_counter()
            page.goto(address, wait_until="load")
            if not page.evaluate(USABLE):
                raise RuntimeError("the page loaded but cannot be used")
            seconds.append(1000 * (time.perf_counter() - began))
            sizes.append(sum(received))
            context.close()
        browser.close()
    return {**quantiles(seconds), "kilobytes": round(max(sizes) / 1000, 1)}


if __name__ == "__main__":
    sys.exit(main())
