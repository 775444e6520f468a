"""The program as it runs for real: web server, worker and command line, each its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import httpx

from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from tests.conftest import actor_named
from tests.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_S = 240
STOP_S = 40


class Process:
    """A running `python -m apm ...`; what it prints is kept."""

    def __init__(self, args: list[str], env: dict[str, str], *, ready: str) -> None:
        self.lines: list[str] = []
        self._ready, self._is_ready = ready, Flag()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "apm", *args],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            assert self._is_ready.wait(READY_S), f"{args} is not ready:\n{self.log}"
            assert self._process.poll() is None, f"{args} ended:\n{self.log}"
        except AssertionError:
            self.stop()  # nobody else knows of it yet
            raise

    @property
    def log(self) -> str:
        """All it printed so far."""
        return "".join(self.lines)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line)
            if self._ready in line:
                self._is_ready.set()
        self._is_ready.set()  # it ended; who waits looks at the log

    def stop(self) -> None:
        """End it as an init system would, and wait for that."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._reader.join(STOP_S)
            assert self._process.stdout
            self._process.stdout.close()


class House:
    """One installation on a database of its own; North and South have moved in."""

    def __init__(self, folder: Path, template: Path, *, has_worker: bool) -> None:
        self.database = folder / "house.db"
        self.database.write_bytes(template.read_bytes())
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        plain = {k: v for k, v in os.environ.items() if not k.startswith("APM_")}
        self.env = {
            **plain,
            "APM_DATABASE_URL": f"sqlite:///{self.database}",
            "APM_SECRET_KEY": "only for tests",
            "APM_BASE_URL": self.url,
            "APM_UPLOADS": str(folder / "uploads"),
            "PORT": str(port),
        }
        self.processes: list[Process] = []
        self._engine = make_engine(self.env["APM_DATABASE_URL"])
        try:
            self.serve()
            if has_worker:
                self.processes.append(Process(["worker"], self.env, ready="leads"))
            assert httpx.get(f"{self.url}/readyz", timeout=READY_S).is_success
        except BaseException:
            self.stop()
            raise

    def serve(self) -> Process:
        """Start the web server, once more if it was stopped; it stands at the same address."""
        served = Process(["serve", "--processes", "1"], self.env, ready="Listening at")
        self.processes.append(served)
        return served

    def go_dark(self) -> None:
        """Stop the web server alone: nobody answers at its address."""
        self.processes.pop(0).stop()

    def stop(self) -> None:
        """Stop everything."""
        self._engine.dispose()
        for process in reversed(self.processes):
            process.stop()

    @property
    def trouble(self) -> list[str]:
        """What server and worker complained of."""
        return [p.log for p in self.processes if "Traceback" in p.log or " ERROR " in p.log]

    def cli(self, *args: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        command = [sys.executable, "-m", "apm", *map(str, args)]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def done(self, *args: str | Path) -> str:
        """Run the command line, which must succeed; return what it printed."""
        answer = self.cli(*args)
        assert answer.returncode == 0, f"{args}: {answer.stdout}{answer.stderr}"
        return answer.stdout

    def report(self, *args: str | Path) -> dict[str, Any]:
        """Run a command that prints JSON."""
        found: dict[str, Any] = json.loads(self.done(*args))
        return found

    @contextmanager
    def acting(self, name: str) -> Iterator[Context]:
        """Act as somebody of the cast, past the pages: to prepare what a test needs."""
        with make_sessions(self._engine)() as session:
            actor = actor_named(session, name)
            session.rollback()
            yield Context(session, actor)
