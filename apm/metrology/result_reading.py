"""From a table to results: which asset, which test, what value, and what is wrong with a row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from apm.accounts.queries import zone_of
from apm.assets.model import GONE, Asset
from apm.core.command import Context
from apm.core.i18n import _l
from apm.metrology.catalogue import SafetyTest, safety_tests
from apm.metrology.model import Instrument, SafetyProfile
from apm.metrology.profiles import Profile
from apm.metrology.result_model import ResultRow
from apm.metrology.tables import Record, Table
from apm.metrology.values import BadValue, Measured, measured, moment
from apm.procedures.model import Verdict
from apm.procedures.tolerance import Tolerance, judge

OF_CLASS_II = {"es3": "es4", "es5": "es6", "es9": "es10"}
"""Makers name a test the same for both classes; the asset's class says which limit holds."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row, and what to do."""

    row: int
    column: str
    code: str
    message: object


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result that can be stored."""

    row: int
    asset: Asset
    test: SafetyTest
    measured: Measured
    at: datetime
    verdict: Verdict
    instrument: Instrument | None
    serial: str
    """Of the instrument, as the file says."""
    raw: dict[str, str]

    @property
    def digest(self) -> str:
        """What makes it the same result, whichever file it comes in."""
        said = f"{self.measured.bound}{self.measured.value!r}"
        parts = (self.asset.id, self.test.key, self.at.isoformat(), said, self.serial)
        return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


@dataclass(slots=True)
class Results:
    """What a file says, before anything is stored."""

    profile: str
    rows: int
    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    unknown_instruments: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Digests of results that were stored before."""

    @property
    def fresh(self) -> list[Outcome]:
        """The results that are new, each once."""
        seen = set(self.known)
        found = []
        for outcome in self.outcomes:
            if outcome.digest not in seen:
                seen.add(outcome.digest)
                found.append(outcome)
        return found

    @property
    def failed(self) -> int:
        """How many of the new ones failed."""
        return sum(outcome.verdict is Verdict.FAIL for outcome in self.fresh)


@dataclass(slots=True)
class _Known:
    """What of the hospital a file may speak of."""

    by_number: dict[str, Asset]
    by_serial: dict[str, list[Asset]]
    classes: dict[int, SafetyProfile]
    instruments: dict[str, Instrument]
    zone: str


def read_results(ctx: Context, profile: Profile, table: Table) -> Results:
    """Return what a table says: results that can be stored, and each row that cannot."""
    columns = {name: profile.column(name, table) for name in profile.columns}
    known = _known(ctx, table, columns)
    found = Results(profile.name, len(table.records))
    for record in table.records:
        try:
            found.outcomes.append(_outcome(ctx, profile, columns, record, known))
        except _BadRow as bad:
            column = columns.get(bad.field) or ""
            found.problems.append(RowProblem(record.row, column, bad.code, bad.message))
    serials = {o.serial for o in found.outcomes if o.serial and o.instrument is None}
    found.unknown_instruments = sorted(serials)
    found.known = _stored(ctx, [outcome.digest for outcome in found.outcomes])
    return found


class _BadRow(Exception):
    """A row that cannot be used, and the field that is to blame."""

    def __init__(self, field: str, code: str, message: object) -> None:
        super().__init__(code)
        self.field, self.code, self.message = field, code, message


def _outcome(
    ctx: Context,
    profile: Profile,
    columns: dict[str, str | None],
    record: Record,
    known: _Known,
) -> Outcome:
    def said(name: str) -> str:
        column = columns.get(name)
        return record.texts.get(column, "").strip() if column else ""

    asset = _asset(said("asset"), said("serial"), known)
    test = _test(profile, said("test"), known.classes.get(asset.id))
    try:
        value = measured(said("value"), said("unit"), test.unit)
    except BadValue as bad:
        raise _BadRow("value", bad.code, bad.message) from bad
    try:
        at = moment(said("at"), known.zone, ctx.now()) if said("at") else ctx.now()
    except BadValue as bad:
        raise _BadRow("at", bad.code, bad.message) from bad
    serial = said("instrument")
    return Outcome(
        row=record.row,
        asset=asset,
        test=test,
        measured=value,
        at=at,
        verdict=_verdict(value, test),
        instrument=known.instruments.get(serial),
        serial=serial,
        raw=record.texts,
    )


def _asset(number: str, serial: str, known: _Known) -> Asset:
    if number and (found := known.by_number.get(number)):
        return _usable(found, "asset")
    same = known.by_serial.get(serial, []) if serial else []
    if len(same) == 1:
        return _usable(same[0], "serial")
    if same:
        raise _BadRow(
            "serial",
            "two_assets",
            _l("Several assets have serial %(serial)s. Give the number.", serial=serial),
        )
    raise _BadRow(
        "asset",
        "unknown_asset",
        _l(
            "No asset has number %(number)s or serial %(serial)s. Correct it, or add the asset.",
            number=number or "–",
            serial=serial or "–",
        ),
    )


def _usable(asset: Asset, field: str) -> Asset:
    if asset.lifecycle in GONE:
        raise _BadRow(
            field, "gone", _l("Asset %(number)s is retired. Leave it out.", number=asset.number)
        )
    return asset


def _test(profile: Profile, name: str, described: SafetyProfile | None) -> SafetyTest:
    key = profile.step_key(name)
    if key is None:
        raise _BadRow(
            "test",
            "unknown_test",
            _l("The test %(name)s is not in the profile. Add it there.", name=name[:60] or "–"),
        )
    if described is not None and described.protection == "II":
        key = OF_CLASS_II.get(key, key)
    return safety_tests()[key]


def _verdict(value: Measured, test: SafetyTest) -> Verdict:
    """Judge by our own limit; `> 200` passes where at least something is asked for, and so on."""
    verdict = judge(value.value, Tolerance.of(test.tolerance))
    is_enough = value.bound == ">" and test.rule == "ge" and verdict is Verdict.PASS
    is_little = value.bound == "<" and test.rule == "le" and verdict is Verdict.PASS
    if value.bound and not (is_enough or is_little or _is_beyond(value, test)):
        raise _BadRow(
            "value",
            "out_of_range",
            _l(
                "The instrument could not measure this (%(bound)s). Measure it again.",
                bound=value.bound,
            ),
        )
    return Verdict.FAIL if value.bound and not (is_enough or is_little) else verdict


def _is_beyond(value: Measured, test: SafetyTest) -> bool:
    """Tell whether the bound alone says that it failed: `> 1000 uA` where 500 is the most."""
    if test.rule == "le":
        return value.bound == ">" and value.value >= test.limit
    return value.bound == "<" and value.value <= test.limit


def _known(ctx: Context, table: Table, columns: dict[str, str | None]) -> _Known:
    """Read everything the rows name, in a few statements whatever their number."""
    numbers, serials = _texts(table, columns, "asset"), _texts(table, columns, "serial")
    by_number: dict[str, Asset] = {}
    by_serial: dict[str, list[Asset]] = {}
    for some in _chunks(numbers):
        for asset in ctx.session.scalars(select(Asset).where(Asset.number.in_(some))):
            by_number[asset.number] = asset
    for some in _chunks(serials):
        for asset in ctx.session.scalars(select(Asset).where(Asset.serial.in_(some))):
            by_serial.setdefault(asset.serial or "", []).append(asset)
    classes = {row.asset_id: row for row in ctx.session.scalars(select(SafetyProfile))}
    instruments = {row.serial: row for row in ctx.session.scalars(select(Instrument))}
    zone = zone_of(ctx)
    return _Known(by_number, by_serial, classes, instruments, zone)


def _texts(table: Table, columns: dict[str, str | None], name: str) -> list[str]:
    column = columns.get(name)
    if not column:
        return []
    return sorted({text for r in table.records if (text := r.texts.get(column, "").strip())})


def _stored(ctx: Context, digests: list[str]) -> set[str]:
    found: set[str] = set()
    for some in _chunks(digests):
        query = select(ResultRow.digest).where(ResultRow.digest.in_(some))
        found.update(ctx.session.scalars(query))
    return found


def _chunks(values: list[Any]) -> list[list[Any]]:
    return [values[i : i + CHUNK] for i in range(0, len(values), CHUNK)]
