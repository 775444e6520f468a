"""`apm demo`: the whole program on an invented hospital, for a look and a try."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Event

import click
from flask import Flask
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import sessionmaker

from apm.accounts.queries import hospitals, system_actor
from apm.cli.frame import stay
from apm.cli.refusal import Refused
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.core.db import ApmSession, make_engine, make_sessions
from apm.core.i18n import _, choose
from apm.core.settings import ROOT, Settings
from apm.demo.address import free_port, terminal_qr, urls
from apm.demo.desk import Desk
from apm.demo.plant import Plant
from apm.demo.queries import ailing_asset, newest_reading
from apm.demo.serving import Part, WebServer, run_until
from apm.demo.simulator import Gateway, Simulator
from apm.demo.web import web as demo_pages
from apm.factory import create_app
from apm.labels import label
from apm.worker.running import Worker
from seed.demo.keeping import Files, build, ready_desk, remove

TENTH = 10
"""Without a terminal, progress is one line each so many percent."""


class _Stopped(Exception):
    """Somebody asked to stop while the hospital was being built."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    host: str
    port: int
    speed: float
    files: Files


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port; PORT, else 8000.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104  (phones must reach it)
@click.option("--reset", is_flag=True, help="Start over with a new demo hospital.")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    show_default=True,
    help="How fast the simulated devices send and go wrong.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "instance",
    show_default="instance/",
    help="Folder for the demo's database and logins.",
)
def demo(port: int | None, host: str, *, reset: bool, speed: float, data: Path) -> None:
    """Serve a demo hospital: web, worker and simulated sensors in one process."""
    stay()
    settings = Settings.from_env()
    options = Options(host, settings.port if port is None else port, speed, Files(data))
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if reset:
        remove(options.files)
    try:
        desk = _prepared(options.files, stop)
    except _Stopped:
        return
    _serve(options, settings, desk, stop)


def _prepared(files: Files, stop: Event) -> Desk:
    found = ready_desk(files)
    if found is None:
        found = build(files, now=utc_now().replace(microsecond=0), watch=_watch(stop))
    found.started_again().save(files.desk)
    return found


def _watch(stop: Event) -> Callable[[int, int], None]:
    """Return what shows how far building has come, and leaves it when asked to stop."""
    console = Console(stderr=True)
    title = _("Building the demo hospital")
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip
    task = bar.add_task(title, total=None)
    shown = [-TENTH]

    def watch(done: int, total: int) -> None:
        if stop.is_set():
            bar.stop()
            raise _Stopped
        percent = 100 * done // max(total, 1)
        if console.is_terminal:
            bar.start()
            bar.update(task, completed=done, total=total)
        elif percent >= shown[0] + TENTH:
            shown[0] = percent
            click.echo(f"{title}: {percent} %", err=True)
        if done >= total:
            bar.stop()

    return watch


def _serve(options: Options, settings: Settings, desk: Desk, stop: Event) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    port = _port(options)
    local, lan = urls(options.host, port)
    url = options.files.url(options.files.database)
    settings = replace(
        settings,
        database_url=url,
        base_url=settings.base_url if os.environ.get("APM_BASE_URL") else lan or local,
        uploads=options.files.folder / "demo-uploads",
        port=port,
    )
    engine = make_engine(url)
    try:
        sessions = make_sessions(engine)
        code, newest = _facts(sessions)
        gateway = Gateway(local, desk.device_token)
        parts: list[Part] = [
            WebServer(make_demo_app(sessions, settings, desk), host=options.host, port=port),
            Worker(sessions),
            Simulator(
                gateway,
                speed=options.speed,
                turn=desk.turn,
                built_at=desk.built_at,
                since=newest,
            ),
            Plant(sessions, settings, options.files.folder, built_at=desk.built_at),
        ]
        _welcome(desk, local, lan, f"{settings.base_url}/a/{code}" if code else None)
        run_until(stop, parts)
    finally:
        engine.dispose()
    click.echo(_("The demo has stopped."))


def make_demo_app(sessions: sessionmaker[ApmSession], settings: Settings, desk: Desk) -> Flask:
    """Return the web application with the demo's own pages."""
    app = create_app(sessions, settings)
    app.config["APM_DEMO"] = desk
    app.register_blueprint(demo_pages)
    return app


def _port(options: Options) -> int:
    try:
        port = free_port(options.host, options.port)
    except OSError as error:
        raise Refused(
            _("Cannot listen on %(host)s: %(why)s.", host=options.host, why=error.strerror)
        ) from error
    if options.port not in (0, port):
        click.echo(_("Port %(wanted)s is busy; using %(port)s.", wanted=options.port, port=port))
    return port


def _facts(sessions: sessionmaker[ApmSession]) -> tuple[str | None, datetime | None]:
    """Return the code of an asset to try on, and when the sensors last sent something."""
    with sessions() as session:
        top = Context(session, system_actor(None, "demo"))
        [hospital] = hospitals(top.session)
        ctx = Context(session, system_actor(hospital.id, "demo"))
        asset = ailing_asset(ctx)
        return asset.code if asset else None, newest_reading(ctx)


def _welcome(desk: Desk, local: str, lan: str | None, label_url: str | None) -> None:
    say = click.echo
    say()
    click.secho(
        _("Demo only, not for production: its logins are shown to everybody."), fg="red", bold=True
    )
    say(_("Open %(url)s", url=local))
    if lan:
        say(_("On a phone in this network: %(url)s", url=lan))
    say()
    for login in desk.logins:
        name = choose(login.name, login.name_zh)
        say(f"  {login.email:<16} {login.password:<10} {label('role', login.role)}, {name}")
    say()
    if label_url:
        say(_("Scan this as a nurse would scan a label: %(url)s", url=label_url))
        say(terminal_qr(label_url))
    say(_("Ctrl-C stops the demo. Start over with: apm demo --reset"))
