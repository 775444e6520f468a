"""The collector: runs every connection it holds, follows changes, writes how they fare."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from apm.accounts.queries import system_actor
from apm.collecting import leasing
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.feed import Feed
from apm.collecting.lines.base import Line, line_for
from apm.collecting.model import Protocol
from apm.collecting.pipe import Pipe, into
from apm.collecting.queries import enabled_specs
from apm.collecting.spec import Spec, as_plain, from_plain
from apm.collecting.spool import LIMIT_BYTES, Spool
from apm.core.command import Context
from apm.core.db import ApmSession

log = logging.getLogger(__name__)
EVERY_S = 2.0
"""How often changes are looked for and states written."""
SPECS = "specs"


@dataclass(slots=True)
class Running:
    """One connection at work; without a line when it cannot even begin."""

    spec: Spec
    feed: Feed
    line: Line | None
    is_held: bool = False


class Collector:
    """One process's share of the connections."""

    def __init__(
        self,
        sessions: sessionmaker[ApmSession],
        key: str,
        folder: Path,
        *,
        hospital: str | None = None,
        limit_bytes: int = LIMIT_BYTES,
        held: frozenset[Protocol] = frozenset(),
    ) -> None:
        """Make one; what is spoken by a `held` protocol waits, as connecting, until `let_go`."""
        self._held = held
        self._sessions, self._key, self._hospital = sessions, key, hospital
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._spool = Spool(folder, limit_bytes=limit_bytes)
        self._pipe = Pipe(into(sessions), self._spool)
        self._running: dict[int, Running] = {}
        self._stop = Event()
        self._is_away = False
        self._thread = Thread(target=self._run, name="collector", daemon=True)

    def start(self) -> None:
        """Begin in the background; returns at once."""
        self._pipe.start()
        self._thread.start()

    def let_go(self) -> None:
        """Begin with what was held: its devices are there now."""
        self._held = frozenset()

    def stop(self) -> None:
        """Stop the lines, put away what they delivered, give the connections back."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._begin()
            self._follow_until_stopped()
        finally:
            self._end()

    def _follow_until_stopped(self) -> None:
        while True:
            try:
                self._look()
            except SQLAlchemyError as error:
                if not self._is_away:
                    log.warning(
                        "the database is away (%s); collecting goes on", type(error).__name__
                    )
                self._is_away = True
            except Exception:  # the lines must not stop because a state could not be written
                log.exception("looking for changes failed")
            if self._stop.wait(EVERY_S):
                return

    def _begin(self) -> None:
        """Run what was run before if the database is away: its answer comes later."""
        try:
            with self._sessions() as session:
                self._specs(session)
        except SQLAlchemyError:
            log.warning("the database is away; running the connections known from before")
            for plain in self._spool.noted(SPECS) or []:
                spec = from_plain(plain)
                self._running[spec.id] = self._start(spec)

    def _specs(self, session: ApmSession) -> list[Spec]:
        return enabled_specs(Context(session, system_actor(None, "collector")), self._hospital)

    def _look(self) -> None:
        with self._sessions() as session:
            specs = {spec.id: spec for spec in self._specs(session)}
            ctx = Context(session, system_actor(None, "collector"))
            ours = leasing.claim(ctx, holder=self.holder, ids=specs) if specs else set()
            self._follow({id_: specs[id_] for id_ in ours})
            if self._running:
                leasing.report(ctx, holder=self.holder, found=self._found())
        if self._is_away:
            log.info("the database is back")
        self._is_away = False

    def _follow(self, wanted: dict[int, Spec]) -> None:
        """Stop what is not wanted any more or has changed, start what is new."""
        held = self._held
        gone = {
            id_: one
            for id_, one in self._running.items()
            if wanted.get(id_) != one.spec or (one.is_held and one.spec.protocol not in held)
        }
        for id_, one in gone.items():
            self._halt(one)
            del self._running[id_]
        fresh = [spec for id_, spec in wanted.items() if id_ not in self._running]
        for spec in fresh:
            self._running[spec.id] = self._start(spec)
        if gone or fresh:
            self._spool.note(SPECS, [as_plain(one.spec) for one in self._running.values()])

    def _start(self, spec: Spec) -> Running:
        feed = Feed(spec, self._pipe)
        if spec.protocol in self._held:
            return Running(spec, feed, None, is_held=True)
        try:
            if not spec.points and spec.protocol is not Protocol.MQTT:
                raise LineFailed(Reason.NO_POINTS)
            line = line_for(spec, spec.opened(self._key), feed)
        except LineFailed as failure:
            feed.failed(failure)
            return Running(spec, feed, None)
        line.start()
        log.info("connection %s (%s) starts", spec.id, spec.name)
        return Running(spec, feed, line)

    def _halt(self, one: Running) -> None:
        if one.line is not None:
            one.line.stop()
            log.info("connection %s (%s) stops", one.spec.id, one.spec.name)

    def _found(self) -> dict[int, dict[str, Any]]:
        for one in self._running.values():
            if self._pipe.is_full:
                one.feed.failed(LineFailed(Reason.SPOOL_FULL))
            else:
                one.feed.relieved()
        waiting = self._spool.readings
        return {
            id_: {**one.feed.report(), "spooled": waiting} for id_, one in self._running.items()
        }

    def _end(self) -> None:
        halting = [Thread(target=self._halt, args=[one]) for one in self._running.values()]
        for thread in halting:
            thread.start()
        for thread in halting:
            thread.join()
        self._pipe.stop()
        try:
            with self._sessions() as session:
                ctx = Context(session, system_actor(None, "collector"))
                leasing.report(ctx, holder=self.holder, found=self._found())
                leasing.release(ctx, holder=self.holder, ids=list(self._running))
        except SQLAlchemyError:
            log.warning("the database is away: the connections are free again in some seconds")
        self._spool.close()
