"""One file with everything: the database, table by table, and the uploads, in a zip.

Rows travel as JSON lines, so that a backup of SQLite goes back into PostgreSQL and the other way
round.  They are read in one snapshot, hence consistent while the server runs.
"""

from __future__ import annotations

import base64
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, LargeBinary, Table, func, insert, select, text

from apm import database
from apm.core.db import Base, UtcDateTime, make_engine
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.settings import Settings

CHUNK = 1000
FORMAT = 1


def make_backup(settings: Settings, file: Path) -> int:
    """Write the backup to `file`, whole or not at all; return its size in bytes."""
    engine = make_engine(settings.database_url)
    unfinished = file.with_name(file.name + ".part")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            _write_tables(engine, archive)
            for path in sorted(p for p in settings.uploads.rglob("*") if p.is_file()):
                archive.write(path, f"uploads/{path.relative_to(settings.uploads)}")
        os.replace(unfinished, file)
    except OSError as error:
        raise Invalid(
            _l("Cannot write %(file)s: %(why)s."), file=file, why=error.strerror
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
        engine.dispose()
    return file.stat().st_size


def _write_tables(engine: Engine, archive: zipfile.ZipFile) -> None:
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        manifest = {"format": FORMAT, "revision": revision}
        archive.writestr("manifest.json", json.dumps(manifest))
        for table in Base.metadata.sorted_tables:
            with archive.open(f"tables/{table.name}.jsonl", "w") as raw:
                lines = TextIOWrapper(raw, encoding="utf-8", write_through=True)
                for row in connection.execution_options(yield_per=CHUNK).execute(
                    select(table).order_by(*table.primary_key)
                ):
                    lines.write(json.dumps([_plain(v) for v in row], ensure_ascii=False) + "\n")
                lines.detach()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def restore_backup(settings: Settings, file: Path, *, replace: bool = False) -> None:
    """Bring `file` back.

    Raises:
        Invalid: it is no backup of ours, or of a newer version.
        Conflict: the database holds something and `replace` was not asked for.
    """
    engine = make_engine(settings.database_url)
    try:
        with zipfile.ZipFile(file) as archive:
            revision = _revision(archive)
            database.upgrade(engine)
            with engine.execution_options(apm_writing=True).begin() as connection:
                if MigrationContext.configure(connection).get_current_revision() != revision:
                    raise Invalid(
                        _l("This backup is of another version of apm. Restore it with that one.")
                    )
                _empty(connection, replace=replace)
                for table in Base.metadata.sorted_tables:
                    _read_table(connection, archive, table)
            _read_uploads(settings.uploads, archive)
    except zipfile.BadZipFile as error:
        raise Invalid(_l("%(file)s is no backup of apm."), file=file) from error
    finally:
        engine.dispose()


def _revision(archive: zipfile.ZipFile) -> str:
    try:
        manifest = json.loads(archive.read("manifest.json"))
        return str(manifest["revision"])
    except (KeyError, ValueError) as error:
        raise Invalid(_l("This file is no backup of apm.")) from error


def _empty(connection: Connection, *, replace: bool) -> None:
    tables = list(reversed(Base.metadata.sorted_tables))
    holds = any(connection.scalar(select(func.count()).select_from(t)) for t in tables)
    if holds and not replace:
        raise Conflict(
            _l("The database is not empty. Add --replace to overwrite it, or use another.")
        )
    if connection.dialect.name == "sqlite":
        # A table that refers to itself cannot be emptied or filled in one order.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for table in tables:
        for column in table.columns:
            if any(key.column.table is table for key in column.foreign_keys):
                connection.execute(table.update().values({column: None}))
        connection.execute(table.delete())


def _read_table(connection: Connection, archive: zipfile.ZipFile, table: Table) -> None:
    columns = list(table.columns)
    with archive.open(f"tables/{table.name}.jsonl") as raw:
        rows = (
            {c.name: _typed(c.type, v) for c, v in zip(columns, json.loads(line), strict=True)}
            for line in raw
        )
        for chunk in _chunks(rows):
            connection.execute(insert(table), chunk)
    if connection.dialect.name == "postgresql" and "id" in table.columns:
        sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
        highest = f"(SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name})"  # noqa: S608  (our names)
        connection.execute(text(f"SELECT setval({sequence}, {highest}, false)"))


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _typed(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    if kind.python_type is date:
        return date.fromisoformat(value)
    return value


def _read_uploads(folder: Path, archive: zipfile.ZipFile) -> None:
    root = folder.resolve()
    for name in archive.namelist():
        if not name.startswith("uploads/") or name.endswith("/"):
            continue
        target = (folder / name.removeprefix("uploads/")).resolve()
        if root not in target.parents:
            raise Invalid(_l("This file is no backup of apm."))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(name))
