"""Whether a forecast of the past used what came later: the check that a backtest stands on.

The same forecast is made twice: from all the records, and from a copy of them cut off at the
instant, in which nothing later exists.  Whoever reads only the past gets the same answer twice.
The copy is made by rules of its own and not by those that histories are read with: rows that came
later are left out, and changes made later are taken back by the audit trail.

Two things cannot be cut: readings that arrived late, which are stored by their own time alone, and
what the trail keeps secret.  No forecast reads the latter.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Boolean, Enum, Table, create_engine, insert, select
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import JSON, TypeEngine

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.command import Context
from apm.core.db import Base, make_sessions
from apm.core.many import among
from apm.forecasts.foretold import Foretold, Needs
from apm.forecasts.kinds import Material, Taught, ask, material, train
from apm.forecasts.model import ModelKind
from apm.readings.model import Sensor

Read = Callable[[Context, datetime, list[ModelKind]], Material]
COPIED = (
    "hospital", "department", "location", "asset", "work_order", "work_step", "cost", "store",
    "part", "part_lot", "stock_move", "sensor", "alarm", "alarm_rule", "monitored_place",
    "use_feed", "use_day", "meter", "meter_reading", "device_event", "block", "reading_inbox",
    "audit_entry",
)  # fmt: skip
OF_TRENDS = frozenset({"block", "reading_inbox"})
"""Most of what is copied, and read by trends alone."""
WHEN = ("at", "received_at", "day")
"""Columns that say when a row came of which no trail is kept."""
AT_ONCE = 2000
Subject = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Leak:
    """One forecast that knew the future: of what, what it said, and what it should have said.

    subject: the code of the asset, and after a slash that of the sensor.
    differs: which parts of the history read as of then are not what they were then.
    """

    kind: ModelKind
    at: datetime
    asset_id: int
    sensor_id: int | None
    subject: str
    figure: str
    said: Any
    truly: Any
    differs: tuple[str, ...]


def find_leaks(ctx: Context, kind: ModelKind, at: datetime, read: Read = material) -> list[Leak]:
    """Return where forecasts from all records differ from those of records cut off at `at`.

    Args:
        ctx: whose hospital.
        kind: of model.
        at: the origin.
        read: how records are read as of an instant; the harness's own test gives a wrong one.
    """
    whole = read(ctx, at, [kind])
    with cut_off(ctx, at, kind) as then:
        alone = read(then, at, [kind])
    ours, theirs = _answers(kind, whole), _answers(kind, alone)
    differs = _differences(whole, alone)
    unequal = [
        (subject, *figures)
        for subject in sorted(set(ours) | set(theirs), key=lambda one: (one[0], one[1] or 0))
        for figures in _unequal(ours.get(subject), theirs.get(subject))
    ]
    names = _names(ctx, [subject for subject, *_figures in unequal])
    return [
        Leak(
            kind, at, *subject, names[subject], figure, said, truly,
            tuple(sorted(differs.get(subject[0], ()))),
        )
        for subject, figure, said, truly in unequal
    ]  # fmt: skip


def _names(ctx: Context, subjects: Sequence[Subject]) -> dict[Subject, str]:
    """Return what people call each asset or sensor by: its code."""
    of_assets = select(Asset.id, Asset.code).where(among(Asset.id, {one[0] for one in subjects}))
    of_sensors = select(Sensor.id, Sensor.code).where(
        among(Sensor.id, {one[1] for one in subjects if one[1] is not None})
    )
    assets: dict[int, str] = {row[0]: row[1] for row in ctx.session.execute(of_assets)}
    sensors: dict[int, str] = {row[0]: row[1] for row in ctx.session.execute(of_sensors)}
    return {
        (asset, sensor): f"{assets[asset]}/{sensors[sensor]}" if sensor else assets[asset]
        for asset, sensor in subjects
    }


def _answers(kind: ModelKind, given: Material) -> dict[Subject, Foretold]:
    learnt = train(kind, given)
    if isinstance(learnt, Needs):
        return {}
    taught = Taught(kind, learnt.parameters, learnt.artifact)
    return {(one.asset_id, one.sensor_id): one for one in ask(taught, given)}


def _unequal(one: Foretold | None, other: Foretold | None) -> Iterator[tuple[str, Any, Any]]:
    if one is None or other is None:
        yield "forecast", one is not None, other is not None
        return
    for name in ("probabilities", "base", "life_low", "life_median", "life_high"):
        ours, theirs = getattr(one, name), getattr(other, name)
        if not _same(ours, theirs):
            yield name, ours, theirs


def _differences(whole: Material, alone: Material) -> dict[int, set[str]]:
    """Return which parts of each asset's history are not the same."""
    then = {unit.id: unit for unit in alone.known.units}
    found: dict[int, set[str]] = defaultdict(set)
    for unit in whole.known.units:
        other = then.get(unit.id)
        if other is None:
            found[unit.id].add("asset")
            continue
        for field in fields(unit):
            ours, theirs = getattr(unit, field.name), getattr(other, field.name)
            if field.name == "logs":
                names = {
                    name
                    for name in {*ours, *theirs}
                    if not _same(ours.get(name, ()), theirs.get(name, ()))
                }
                found[unit.id] |= {f"logs.{name}" for name in names}
            elif not _same(ours, theirs):
                found[unit.id].add(field.name)
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True)
    return bool(one == other)


@contextmanager
def cut_off(ctx: Context, at: datetime, kind: ModelKind) -> Iterator[Context]:
    """Give a context on a copy, in memory, of the hospital's records as they ended at `at`.

    Args:
        ctx: whose hospital.
        at: the instant.
        kind: of model that will read it.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    tables = [Base.metadata.tables[name] for name in COPIED]
    Base.metadata.create_all(engine)
    try:
        with engine.begin() as target:
            for table in tables:
                if table.name in OF_TRENDS and kind is not ModelKind.TREND:
                    continue
                for rows in _rows(ctx, table, at):
                    target.execute(insert(table), rows)
        with make_sessions(engine)() as session:
            yield replace(ctx, session=session, now=lambda: at)
    finally:
        engine.dispose()


def _rows(ctx: Context, table: Table, at: datetime) -> Iterator[list[dict[str, Any]]]:
    """Return the rows of one table that were there at `at`, as they were, in parts."""
    source = ctx.session.connection()
    query = select(table)
    if "hospital_id" in table.c:
        query = query.where(table.c.hospital_id == ctx.actor.hospital_id)
    if table.name == "hospital":
        query = query.where(table.c.id == ctx.actor.hospital_id)
    if table.name == "audit_entry":
        query = query.where(table.c.chain == ctx.actor.hospital_id, table.c.at <= at)
    later, undone = _trail(ctx, table, at)
    part: list[dict[str, Any]] = []
    for row in source.execute(query).mappings():
        if row["id"] in later or _came_later(table, row, at):
            continue
        part.append({**row, **undone.get(row["id"], {})})
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _came_later(table: Table, row: Any, at: datetime) -> bool:
    """Tell whether a row that keeps no trail is of a later time."""
    if table.name in _entities():
        return False
    for name in WHEN:
        when = row.get(name)
        if isinstance(when, datetime):
            return bool(when > at)
        if isinstance(when, date):
            return datetime.combine(when, time(), UTC) >= at
    return False


def _trail(ctx: Context, table: Table, at: datetime) -> tuple[set[int], dict[int, dict[str, Any]]]:
    """Return which rows were made after `at`, and the values others had of what changed later."""
    made = _entities().get(table.name)
    if made is None:
        return set(), {}
    entity, secret = made.__name__, made.not_in_trail
    audit = Base.metadata.tables["audit_entry"]
    query = (
        select(audit.c.entity_id, audit.c.changes)
        .where(audit.c.chain == ctx.actor.hospital_id, audit.c.entity == entity, audit.c.at > at)
        .order_by(audit.c.seq.desc())
    )
    later: set[int] = set()
    undone: dict[int, dict[str, Any]] = defaultdict(dict)
    for row_id, changes in ctx.session.connection().execute(query):
        for name, (old, _new) in changes.items():
            if name in table.c and name not in secret:
                undone[row_id][name] = _typed(table.c[name].type, old)
        if _is_beginning(table, changes):
            later.add(row_id)
    return later, undone


def _is_beginning(table: Table, changes: dict[str, Any]) -> bool:
    """Tell whether an entry is that of a new row: what may never be empty was empty before."""
    return any(
        name in table.c and not table.c[name].nullable and old is None
        for name, (old, _new) in changes.items()
    )


@cache
def _entities() -> dict[str, type[Audited]]:
    return {
        mapper.local_table.name: mapper.class_  # type: ignore[attr-defined]
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Audited)
    }


def _typed(kind: TypeEngine[Any], text: str | None) -> Any:
    """Return a value of the trail as the column holds it."""
    if text is None:
        return None
    if isinstance(kind, Enum):
        return kind.enum_class(text) if kind.enum_class else text
    if isinstance(kind, Boolean):
        return text == "True"
    if isinstance(kind, JSON):
        return json.loads(text)
    made = kind.python_type
    if made in {datetime, date, time}:
        return made.fromisoformat(text)
    return made(text)
