"""Running it for real: web server and worker."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from pathlib import Path
from threading import Event as Flag
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from apm import database
from apm.accounts.queries import hospitals
from apm.cli.frame import acting, open_database, stay
from apm.cli.refusal import Refused
from apm.collecting.running import Collector
from apm.collecting.spool import SpoolTaken
from apm.core.db import make_engine, make_sessions
from apm.core.i18n import _
from apm.core.settings import ROOT, Settings
from apm.factory import create_app
from apm.worker.running import Worker


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn, configured from our settings; each process opens its own database connections."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.settings, self.options = settings, options
        super().__init__()

    def load_config(self) -> None:
        """Hand our options over."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application, in the process that serves it."""
        stay()
        return create_app(make_sessions(make_engine(self.settings.database_url)), self.settings)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, help="Port; PORT in the environment, else 8000.")
@click.option("--processes", type=int, help="Processes; one a core by default.")
def serve(host: str, port: int | None, processes: int | None) -> None:
    """Serve the web pages and the API."""
    settings = Settings.from_env()
    with acting(None) as ctx:
        if any(hospital.is_demo for hospital in hospitals(ctx.session)):
            raise Refused(_("This is a demo database with known logins. Serve it with: apm demo"))
    Server(
        settings,
        {
            "bind": f"{host}:{port or settings.port}",
            "workers": processes or multiprocessing.cpu_count(),
            "worker_class": "gthread",
            "threads": 4,
            "timeout": 120,
            "graceful_timeout": 30,
            "keepalive": 75,  # longer than a proxy keeps a line: it never sends into one just shut
            "control_socket_disable": True,  # one file in the home folder for all servers
        },
    ).run()


@click.command()
@click.option("--hospital", metavar="CODE", help="Only this hospital's connections.")
@click.option(
    "--spool",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "instance" / "spool",
    show_default="instance/spool",
    help="Folder for readings while the database is away; one for each collector.",
)
@click.option(
    "--spool-mb",
    type=click.IntRange(1, 1_000_000),
    default=512,
    show_default=True,
    help="How much the spool may hold.",
)
def collect(hospital: str | None, spool: Path, spool_mb: int) -> None:
    """Read the devices of all connections.  Any number may run; each connection has one reader."""
    settings = Settings.from_env()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stay()
    engine = make_engine(settings.database_url)
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        _refuse_old(engine)
        running = _collector(engine, settings, hospital, spool, spool_mb)
        running.start()
        stop.wait()
        running.stop()
    finally:
        engine.dispose()


def _refuse_old(engine: Engine) -> None:
    """Refuse a database that is not current; one that is away is waited for."""
    try:
        is_current = database.is_current(engine)
    except SQLAlchemyError:
        return
    if not is_current:
        raise Refused(_("The database is not up to date. Run: apm db upgrade"))


def _collector(
    engine: Engine, settings: Settings, hospital: str | None, spool: Path, spool_mb: int
) -> Collector:
    try:
        return Collector(
            make_sessions(engine),
            settings.secret_key,
            spool,
            hospital=hospital.upper() if hospital else None,
            limit_bytes=spool_mb << 20,
        )
    except SpoolTaken as error:
        raise Refused(
            _(
                "Another collector uses %(folder)s. Give this one --spool and a folder.",
                folder=error,
            )
        ) from error


@click.command()
def worker() -> None:
    """Run jobs and deliver events.  Start any number; one leads, the others stand by."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    stay()
    with open_database() as engine:
        running = Worker(make_sessions(engine))
        stop = Flag()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        running.start()
        stop.wait()
        running.stop()
