"""From the lines to the database: many readings a commit; to the disk while it is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import groupby
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from apm.accounts.queries import system_actor
from apm.collecting.feed import Parcel
from apm.collecting.spool import Spool, SpoolFull
from apm.core.command import Context
from apm.core.db import ApmSession
from apm.readings.commands import IngestReport, ingest

log = logging.getLogger(__name__)
WAITING = 2_000
"""Parcels on their way, of up to 200 messages each; beyond this, senders wait."""
MOST = 20_000
"""Readings in one commit."""
LINGER_S = 0.02
"""A commit waits so long for more readings, so that there are not thousands of commits."""
PAUSES_S = (1.0, 2.0, 5.0, 10.0)
"""Between tries to reach a database that is away."""
TRIES = 5
"""After so many refusals that are no outage a batch of the spool is set aside."""
Store = Callable[[int, list[dict[str, Any]]], IngestReport]


def into(sessions: sessionmaker[ApmSession]) -> Store:
    """Return what stores readings of a hospital in a database."""

    def store(hospital_id: int, readings: list[dict[str, Any]]) -> IngestReport:
        with sessions() as session:
            return ingest(Context(session, system_actor(hospital_id, "collector")), readings)

    return store


class Pipe:
    """One thread that takes what all lines deliver."""

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store, self.spool = store, spool
        self._queue: Queue[Parcel | None] = Queue(WAITING)
        self._stopping = Event()
        self._tries = self._refused = 0
        self._retry_at = 0.0
        self.is_full = False
        self.stored = 0
        """Readings that reached the database since the start."""
        self._thread = Thread(target=self._run, name="pipe", daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Put away what has been delivered, in the database or on the disk, and end."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join()

    def put(self, parcel: Parcel, *, can_wait: bool) -> bool:
        """Take a parcel; False: there is no room, and who sends cannot wait."""
        try:
            self._queue.put(parcel, block=can_wait)
        except Full:
            return False
        return True

    @property
    def is_away(self) -> bool:
        """Whether the database could not be reached when it was last tried."""
        return self._tries > 0

    def _run(self) -> None:
        while True:
            parcels, ends = self._gather()
            for hospital_id, some in groupby(
                sorted(parcels, key=_hospital), key=_hospital
            ):  # a stable sort: each hospital's keep their order
                self._put_away(hospital_id, list(some))
            if self.spool.readings and not ends:
                self._forward()
            if ends:
                return

    def _gather(self) -> tuple[list[Parcel], bool]:
        """Wait a little for the first parcel, then take what else is there."""
        found: list[Parcel] = []
        n, until = 0, None
        while n < MOST:
            wait = 0.2 if until is None else until - time.monotonic()
            try:
                parcel = self._queue.get(timeout=wait) if wait > 0 else self._queue.get_nowait()
            except Empty:
                break
            if parcel is None:
                if self._queue.empty():
                    return found, True
                self._queue.put(None)  # what was delivered before the end comes first
                continue
            until = until or time.monotonic() + LINGER_S
            found.append(parcel)
            n += len(parcel.readings)
        return found, False

    def _put_away(self, hospital_id: int, parcels: list[Parcel]) -> None:
        """Store readings; behind others that wait, or when the database is away, on the disk."""
        readings = [reading for parcel in parcels for reading in parcel.readings]
        if readings:
            try:
                report = self._safe(hospital_id, readings)
            except SpoolFull:  # we are to end; the others come again from their broker
                for parcel in parcels:
                    if parcel.done is None:
                        parcel.feed.lose(len(parcel.readings))
                return
            if report is not None and report.rejected:
                _tell(parcels, report)
        for parcel in parcels:
            if parcel.done is not None:
                parcel.done()

    def _safe(self, hospital_id: int, readings: list[dict[str, Any]]) -> IngestReport | None:
        """Return once readings are in the database (with its report) or on the disk (None).

        While there is room in neither they wait here, and senders behind them.

        Raises:
            SpoolFull: the collector is to end, and there was no room.
        """
        report = None if self.spool.readings else self._try(hospital_id, readings)
        while report is None and not self._keep(hospital_id, readings):
            if self._stopping.wait(0.5):
                raise SpoolFull
            self._forward()
            if not self.spool.readings and time.monotonic() >= self._retry_at:
                report = self._try(hospital_id, readings)
        self.is_full = False
        return report

    def _try(self, hospital_id: int, readings: list[dict[str, Any]]) -> IngestReport | None:
        report = None
        try:
            report = self._store(hospital_id, readings)
        except SQLAlchemyError as error:
            log.warning("the database took nothing (%s); readings wait on the disk", _short(error))
        except Exception:  # whatever it is, what a device sent is kept and tried again
            log.exception("readings could not be stored; they wait on the disk")
        if report is None:
            self._tries += 1
            pause = PAUSES_S[min(self._tries, len(PAUSES_S)) - 1]
            self._retry_at = time.monotonic() + pause
            return None
        self._tries = 0
        self.stored += report.accepted + report.duplicate
        return report

    def _keep(self, hospital_id: int, readings: list[dict[str, Any]]) -> bool:
        """Put readings on the disk; False when it, or the spool, is full."""
        try:
            self.spool.append(hospital_id, readings)
        except SpoolFull:
            if not self.is_full:
                log.error("the spool is full: readings are being lost")
            self.is_full = True
            return False
        return True

    def _forward(self) -> None:
        """Bring what waits on the disk to the database, oldest first, for up to a second."""
        until = time.monotonic() + 1
        while time.monotonic() >= self._retry_at and time.monotonic() < until:
            batch = self.spool.oldest()
            if batch is None:
                log.info("all readings from the disk are in the database")
                return
            if self._try(batch.hospital_id, batch.readings) is None:
                self._count_refusal(batch.id)
                return
            self._refused = 0
            self.spool.remove(batch.id)

    def _count_refusal(self, batch_id: int) -> None:
        """Give way when the database is there and refuses this one batch again and again."""
        self._refused += 1
        if self._refused >= TRIES and self._answers():
            log.error("batch %s of the spool can never be stored: set aside", batch_id)
            self.spool.set_aside(batch_id)
            self._refused = 0

    def _answers(self) -> bool:
        return self._try(0, []) is not None


def _hospital(parcel: Parcel) -> int:
    return parcel.feed.spec.hospital_id


def _short(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]


def _tell(parcels: list[Parcel], report: IngestReport) -> None:
    """Tell each line which of its readings were refused."""
    codes = {rejection.index: rejection.code for rejection in report.rejected}
    index = 0
    for parcel in parcels:
        mine = range(index, index + len(parcel.readings))
        index = mine.stop
        parcel.feed.refuse((parcel.readings[n - mine.start], codes[n]) for n in mine if n in codes)
