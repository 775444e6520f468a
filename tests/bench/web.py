"""Page times with 100,000 assets in one hospital: `python -m tests.bench.web --json`.

A real server (`apm serve`, two processes) answers over loopback; a bare Flask view, served the
same way in the same run, is the measure: what our pages cost beyond Flask itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import httpx
from sqlalchemy import Engine, event

from apm import database
from apm.accounts.commands import add_hospital, add_user
from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.permissions import Role
from apm.core.settings import Settings
from apm.factory import create_app
from tests.bench.fleet_rows import foretell_fleet
from tests.bench.register import fill
from tests.bench.serving import PASSWORD, Page, bare, quantiles, serve, signed_in, time_of

WORKS = 40


def main() -> None:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", help="not used: the register is made here")
    parser.add_argument("--assets", type=int, default=100_000)
    parser.add_argument("--pages", default="", help="only those whose name begins like this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.assets, options.pages)
    for name, row in results.items():
        print(f"{name:28} {json.dumps(row)}")
    print(json.dumps(results))


def measure(folder: Path, assets: int, only: str = "") -> dict[str, dict[str, float]]:
    """Return p50 and p95 in ms, queries and the ratio to the bare view, by page."""
    url = f"sqlite:///{folder / 'bench.db'}"
    engine = make_engine(url)
    database.upgrade(engine)
    with make_sessions(engine)() as session:
        hospital = add_hospital(
            Context(session, system_actor(None)), code="BENCH", name="Bench Hospital"
        )
        add_user(
            Context(session, system_actor(hospital.id)),
            email="e@bench.example", name="Engineer", role=Role.ENGINEER, password=PASSWORD,
        )  # fmt: skip
        hospital_id = hospital.id
    started = time.perf_counter()
    sample = fill(engine, hospital_id, assets)
    print(f"{assets} assets in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    arranged = foretell_fleet(engine, hospital_id)
    print(f"their forecasts arranged for the fleet's page in {arranged:.1f} s", file=sys.stderr)
    pages = {name: page for name, page in _pages(sample).items() if name.startswith(only)}
    counts, works = _in_process(engine, url, pages)
    with bare(folder) as empty:
        floor = time_of(httpx.Client(base_url=empty), lambda: "/")
    results: dict[str, dict[str, float]] = {"bare_flask_view": {**floor, "queries": 0}}
    with serve(url) as base:
        client = signed_in(base)
        for name, page in pages.items():
            who = httpx.Client(base_url=base) if name == "label_landing" else client
            took = time_of(who, page)
            ratio = round(took["p50_ms"] / floor["p50_ms"], 1)
            results[name] = {
                **took,
                "cpu_p95_ms": works[name],
                "queries": counts[name],
                "vs_bare": ratio,
            }
    engine.dispose()
    return results


def _pages(sample: list[Any]) -> dict[str, Page]:
    rng = Random(1)

    def pick() -> Any:
        return rng.choice(sample)

    return {
        "register": lambda: "/assets",
        "search_english": lambda: f"/assets?q={rng.choice(['ventilator', 'pump', 'monitor'])}",
        "search_chinese": lambda: f"/assets?q={rng.choice(['呼吸', '监护仪', '输液泵'])}",
        "search_pinyin": lambda: f"/assets?q={rng.choice(['hxj', 'jhy'])}",
        "search_serial": lambda: f"/assets?q={pick().serial}",
        "search_number": lambda: f"/assets?q={pick().number}",
        "search_two_words": lambda: f"/assets?q={pick().manufacturer}+ventilator",
        "filtered": lambda: f"/assets?department=Department+{rng.randrange(1, 41):02d}",
        "asset": lambda: f"/assets/{pick().code}",
        "label_landing": lambda: f"/a/{pick().code}",
        "my_work": lambda: "/",
        "fleet": lambda: "/fleet",
        "fleet_asks": lambda: "/fleet?show=asks",
        "fleet_needs": lambda: "/fleet?show=needs",
        "fleet_filtered": lambda: f"/fleet?department=Department+{rng.randrange(1, 41):02d}",
        "fleet_few": lambda: "/fleet?risk=low&band=probable",
        "fleet_search": lambda: f"/fleet?q={pick().number}",
        "fleet_asset": lambda: f"/assets/{pick().code}/forecast",
        "fleet_why": lambda: f"/assets/{pick().code}/forecast/why",
        "fleet_scores": lambda: "/analytics/forecasts",
        "fleet_models": lambda: "/fleet/models",
        "fleet_model_card": lambda: "/fleet/models/life/1",
    }


def _in_process(
    engine: Engine, url: str, pages: dict[str, Page]
) -> tuple[dict[str, int], dict[str, float]]:
    """Return the statements of each page, and its work: processor time, 95th percentile in ms.

    That does not depend on what else the machine does; with SQLite the database is in it.
    """
    settings = Settings.from_env({"APM_DATABASE_URL": url, "APM_SECRET_KEY": "bench"})
    client = create_app(make_sessions(engine), settings).test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    client.post("/sign-in", data={"email": "e@bench.example", "password": PASSWORD})
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    counts, works = {}, {}
    for name, page in pages.items():
        client.get(page())  # caches
        seen.clear()
        client.get(page())
        counts[name] = sum(not s.startswith(("BEGIN", "PRAGMA")) for s in seen)
        took = []
        for address in [page() for _ in range(WORKS)]:
            began = time.process_time()
            client.get(address)
            took.append(1000 * (time.process_time() - began))
        works[name] = quantiles(took)["p95_ms"]
    return counts, works


if __name__ == "__main__":
    main()
