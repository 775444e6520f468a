"""The servers a bench measures: `apm serve`, and a bare Flask view as the measure of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from tests.processes import free_port

PASSWORD = "bench password"
WARM_UP, SAMPLES = 10, 150
BARE = "import flask; app = flask.Flask('bare'); app.add_url_rule('/', view_func=lambda: 'ok')"
Page = Callable[[], str]


def signed_in(base: str) -> httpx.Client:
    """Return a client with the bench engineer's session."""
    client = httpx.Client(base_url=base, timeout=30)
    form = {"email": "e@bench.example", "password": PASSWORD}
    answer = client.post("/sign-in", data=form, headers={"Origin": base})
    if answer.status_code != 303:
        raise RuntimeError(f"cannot sign in: {answer.status_code}")
    return client


def time_of(client: httpx.Client, page: Page) -> dict[str, float]:
    """Return p50 and p95 of getting pages one after the other, in ms."""
    took = []
    for k in range(WARM_UP + SAMPLES):
        address = page()
        began = time.perf_counter()
        answer = client.get(address)
        seconds = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
        if k >= WARM_UP:
            took.append(1000 * seconds)
    return quantiles(took)


def quantiles(took: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of some times in ms."""
    p50, p95 = np.percentile(took, [50, 95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


@contextmanager
def serve(url: str) -> Iterator[str]:
    """Run `apm serve` with two processes on a database; yields its address."""
    port = free_port()
    env = {**os.environ, "APM_DATABASE_URL": url, "APM_SECRET_KEY": "bench"}
    command = [sys.executable, "-m", "apm", "serve", "--port", str(port), "--processes", "2"]
    with _running(command, f"http://127.0.0.1:{port}", "/healthz", env) as base:
        yield base


@contextmanager
def bare(folder: Path) -> Iterator[str]:
    """Run one Flask view that says "ok", served the same way; yields its address."""
    (folder / "bare.py").write_text(BARE)
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "4", "-w", "2"]
    command = [*gunicorn, "-b", f"127.0.0.1:{port}", "--chdir", str(folder), "bare:app"]
    with _running(command, f"http://127.0.0.1:{port}", "/", dict(os.environ)) as base:
        yield base


@contextmanager
def _running(command: list[str], base: str, ready: str, env: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                if httpx.get(base + ready).status_code == 200:
                    break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
        yield base
    finally:
        process.terminate()
        process.wait(timeout=30)
