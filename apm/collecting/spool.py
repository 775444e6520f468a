"""Store and forward: readings on the collector's disk while the database is away.

One SQLite file.  What `append` returned from is on the disk (`synchronous=FULL`), so a message
may be acknowledged then; batches come back in the order they went in.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

LIMIT_BYTES = 512 << 20
"""About 50 million packed readings."""


class SpoolFull(Exception):
    """The spool holds as much as it may, or its disk does."""


class SpoolTaken(Exception):
    """Another collector uses this folder."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some readings of one hospital, as `readings.commands.ingest` takes them."""

    id: int
    hospital_id: int
    readings: list[dict[str, Any]]


class Spool:
    """A queue of batches in a folder of its own; one process at a time."""

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock_file)
            raise SpoolTaken(str(folder)) from None
        self._limit = limit_bytes
        self._turn = Lock()
        self._db = sqlite3.connect(
            folder / "spool.db", isolation_level=None, check_same_thread=False
        )
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " hospital_id INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL)",
            "CREATE TABLE IF NOT EXISTS set_aside (id INTEGER PRIMARY KEY,"
            " hospital_id INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL)",
            "CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        ):
            self._db.execute(statement)
        row = self._db.execute("SELECT coalesce(sum(n), 0), coalesce(sum(length(body)), 0)"
                               " FROM batch").fetchone()  # fmt: skip
        self.readings, self._bytes = int(row[0]), int(row[1])

    def append(self, hospital_id: int, readings: list[dict[str, Any]]) -> None:
        """Keep readings; once this returns they survive a crash.

        Raises:
            SpoolFull: nothing was kept.
        """
        body = zlib.compress(json.dumps(readings, default=str).encode(), 1)
        with self._turn:
            if self._bytes + len(body) > self._limit:
                raise SpoolFull
            try:
                self._db.execute(
                    "INSERT INTO batch (hospital_id, n, body) VALUES (?, ?, ?)",
                    (hospital_id, len(readings), body),
                )
            except sqlite3.Error as error:  # the disk is full, or gone
                raise SpoolFull from error
            self.readings += len(readings)
            self._bytes += len(body)

    def oldest(self) -> Batch | None:
        """Return the first batch, None when there is none."""
        with self._turn:
            row = self._db.execute(
                "SELECT id, hospital_id, body FROM batch ORDER BY id LIMIT 1"
            ).fetchone()
        if row is None:
            return None
        return Batch(row[0], row[1], json.loads(zlib.decompress(row[2])))

    def remove(self, batch_id: int) -> None:
        """Forget a batch that the database has."""
        self._take_out(batch_id, "")

    def set_aside(self, batch_id: int) -> None:
        """Move a batch that the database can never take out of the way; a person looks at it."""
        self._take_out(
            batch_id,
            "INSERT INTO set_aside SELECT id, hospital_id, n, body FROM batch WHERE id = ?",
        )

    def _take_out(self, batch_id: int, first: str) -> None:
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if first:
                    self._db.execute(first, (batch_id,))
                n, size = self._db.execute(
                    "SELECT n, length(body) FROM batch WHERE id = ?", (batch_id,)
                ).fetchone()
                self._db.execute("DELETE FROM batch WHERE id = ?", (batch_id,))
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self.readings -= n
            self._bytes -= size

    def note(self, key: str, value: object) -> None:
        """Remember something beside the readings, as JSON."""
        with self._turn:
            self._db.execute(
                "INSERT INTO note VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = ?",
                (key, text := json.dumps(value), text),
            )

    def noted(self, key: str) -> Any:
        """Return what was remembered, None for nothing."""
        with self._turn:
            row = self._db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def close(self) -> None:
        """Let another process use the folder."""
        with self._turn:
            self._db.close()
            os.close(self._lock_file)
