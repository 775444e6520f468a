"""A PostgreSQL of its own that tests stop, kill and start again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from apm.core.db import make_engine
from tests.conftest import move_in
from tests.processes import until


class Cluster:
    """A PostgreSQL that writes through to the disk, and that can be killed."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="apm-pg.", dir="/tmp"))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-U", "apm", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        self.folder.chmod(0o755)
        self.start()

    def run(self, name, *options):
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*prefix, str(self.binaries / name), "-D", str(self.folder / "data"), *options]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL)

    def start(self):
        options = f"-k {self.folder} -h ''"
        self.run("pg_ctl", "-w", "-s", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self):
        """End it in good order; whoever is connected is cut off."""
        self.run("pg_ctl", "-w", "-m", "fast", "-s", "stop")

    def kill(self):
        """End it and all it started, without a word."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), seconds=60, what="the database is dead")

    @property
    def url(self):
        return f"postgresql+psycopg://apm@/postgres?host={self.folder}"


@contextlib.contextmanager
def postgresql():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        pytest.skip("no PostgreSQL on this machine")
    made = Cluster(found[-1].parent)
    try:
        yield made
    finally:
        made.run("pg_ctl", "-m", "immediate", "-s", "stop")
        shutil.rmtree(made.folder)


@contextlib.contextmanager
def filled(cluster):
    """Yield an engine on the cluster, migrated, with the cast moved in."""
    engine = make_engine(cluster.url)
    try:
        move_in(engine)
        yield engine
    finally:
        engine.dispose()
