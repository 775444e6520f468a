"""Load for the ingest bench: sender processes, and what the processes of a server took."""

from __future__ import annotations

import gzip
import http.client
import json
import math
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.processes import free_port, until

START = datetime(2025, 1, 1, tzinfo=UTC)
LINES = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """What each of several senders sends: `batches` of `size` readings of `sensors` sensors."""

    senders: int
    batches: int
    size: int
    sensors: int
    first_minute: int

    @property
    def readings(self) -> int:
        """How many readings all send together."""
        return self.senders * self.batches * self.size


@dataclass(frozen=True, slots=True)
class Taken:
    """How long it took: seconds from first byte to last answer, and each answer's seconds."""

    seconds: float
    acknowledged: list[float]


def value(minute: int, sensor: int) -> float:
    """Return what a sensor reads: a day's wave, noise, one decimal, as cheap sensors send it."""
    noise = (minute * 7919 + sensor) % 13
    return round(210 + 20 * math.sin(minute * math.tau / 1440) + noise) / 10


def stamp(minute: int) -> str:
    """Return an instant as devices write it."""
    return (START + timedelta(minutes=minute)).isoformat()


def bodies(load: Load, sender: int) -> list[bytes]:
    """Return what one sender sends: minute by minute all its sensors, as a gateway would."""
    each, first = load.size // load.sensors, sender * load.sensors
    made = []
    for batch in range(load.batches):
        start = load.first_minute + batch * each
        lines = []
        for minute in range(start, start + each):
            at = stamp(minute)
            lines += [
                f'{{"sensor": "S-{k}", "at": "{at}", "value": {value(minute, k)}}}'
                for k in range(first, first + load.sensors)
            ]
        made.append(gzip.compress("\n".join(lines).encode(), compresslevel=1))
    return made


def send_all(base: str, headers: dict[str, str], load: Load) -> Taken:
    """Let every sender send all it has at the same time, each over one connection."""
    context = multiprocessing.get_context("fork")
    ready, told = context.Barrier(load.senders + 1), context.Queue()
    processes = [
        context.Process(target=_sender, args=(base, headers, load, k, ready, told))
        for k in range(load.senders)
    ]
    for process in processes:
        process.start()
    ready.wait()
    found = [told.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    took = [seconds for _begin, _end, times in found for seconds in times]
    if len(took) != load.senders * load.batches:
        raise RuntimeError("a sender was refused")
    return Taken(max(f[1] for f in found) - min(f[0] for f in found), took)


def _sender(
    base: str, headers: dict[str, str], load: Load, k: int, ready: Barrier, told: object
) -> None:
    content = bodies(load, k)
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    ready.wait()
    begin, times = time.perf_counter(), []
    for body in content:
        began = time.perf_counter()
        connection.request("POST", "/api/v1/readings", body, {**headers, **LINES})
        answer = connection.getresponse()
        report = json.loads(answer.read())
        if answer.status != 200 or report["accepted"] != load.size:
            break
        times.append(time.perf_counter() - began)
    told.put((begin, time.perf_counter(), times))  # type: ignore[attr-defined]


def family(pid: int) -> list[int]:
    """Return a process and all that it started."""
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += family(int(child))
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time that processes have taken so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_S


def peak_mb(pids: list[int]) -> float:
    """Return the most memory that any of some processes held, in MB."""
    most = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                most = max(most, int(line.split()[1]))
    return round(most / 1024, 1)


@contextmanager
def stopwatch(times: list[float]) -> Iterator[None]:
    """Add the seconds that the block takes."""
    began = time.perf_counter()
    yield
    times.append(time.perf_counter() - began)


class Program:
    """A running `apm ...` and where it listens."""

    def __init__(self, pid: int, base: str) -> None:
        self.pid, self.base = pid, base


@contextmanager
def program(url: str, name: str, *options: str) -> Iterator[Program]:
    """Run a server with two processes, or a worker, for as long as the block."""
    port = free_port()
    command = [sys.executable, "-m", "apm", name]
    if options:
        command += ["--port", str(port), "--processes", "2"]
    env = {**os.environ, "APM_DATABASE_URL": url, "APM_SECRET_KEY": "bench"}
    base = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        if options:
            until(lambda: is_up(base), seconds=120, what="the server is up")
        yield Program(process.pid, base)
    finally:
        process.terminate()
        process.wait(timeout=60)


def is_up(base: str) -> bool:
    """Tell whether the server answers."""
    try:
        return httpx.get(f"{base}/healthz").status_code == 200
    except httpx.TransportError:
        return False
