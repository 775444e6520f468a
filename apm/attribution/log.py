"""The logs of devices: what they wrote of themselves, by file or by API."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import or_, select

from apm.assets.model import Asset
from apm.attribution.catalogue import code_of
from apm.attribution.model import DeviceEvent
from apm.attribution.schema import MOST_LINES, SEVERITIES, LogLineIn
from apm.core.codes import normal_code
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _, _l
from apm.core.paging import Page, page_of
from apm.core.permissions import Permission

HEADER = ("asset", "at", "code")
AT_ONCE = 400
MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """How many lines were new, and how many were there already."""

    stored: int
    known: int


@command("device_event.add", Permission.READING_SEND)
def add_events(ctx: Context, *, lines: Sequence[Mapping[str, Any]], source: str) -> Stored:
    """Store lines of devices' logs, all or none; a line that is there already is known.

    `lines` are as `LogLineIn` loads them; `source` says where they come from.

    Raises:
        Invalid: a line names equipment the hospital does not have; `fields` names the lines.
    """
    assets = _assets(ctx, {line["asset"] for line in lines})
    wrong = {
        f"lines.{n}.asset": [_l("There is no such equipment here. Check its code or number.")]
        for n, line in enumerate(lines)
        if line["asset"] not in assets
    }
    if wrong:
        some = dict(list(wrong.items())[:MOST_ERRORS])
        raise Invalid(_l("Nothing was stored: some lines are wrong."), fields=some)
    if any(line["at"] > ctx.now() for line in lines):
        message = _l("A line lies in the future. Set the device's clock.")
        raise Invalid(message, fields={"at": [message]})
    wanted: dict[tuple[int, datetime, str], dict[str, Any]] = {}
    for line in lines:
        asset = assets[line["asset"]]
        known = code_of(asset, line["code"])
        wanted.setdefault(
            (asset.id, line["at"], line["code"]),
            {
                "asset_id": asset.id,
                "at": line["at"],
                "code": line["code"],
                "severity": line["severity"],
                "text": line["text"],
                "code_class": known.code_class if known else None,
                "source": source,
            },
        )
    there = _there(ctx, list(wanted))
    new = [row for key, row in wanted.items() if key not in there]
    ctx.bulk_insert(DeviceEvent, new)
    return Stored(len(new), len(lines) - len(new))


def _assets(ctx: Context, names: set[str]) -> dict[str, Asset]:
    """Return equipment by what a line calls it: code or number."""
    found: dict[str, Asset] = {}
    wanted = sorted(names)
    for begin in range(0, len(wanted), AT_ONCE):
        some = wanted[begin : begin + AT_ONCE]
        codes = {normal_code(name): name for name in some}
        query = select(Asset).where(or_(Asset.code.in_(codes), Asset.number.in_(some)))
        # Locked: two senders of one line must not both find it new.
        for asset in ctx.session.scalars(query.order_by(Asset.id).with_for_update()):
            if asset.code in codes:
                found[codes[asset.code]] = asset
            if asset.number in names:
                found.setdefault(asset.number, asset)
    return found


def _there(ctx: Context, keys: list[tuple[int, datetime, str]]) -> set[tuple[int, datetime, str]]:
    """Return which of these lines are stored already."""
    if not keys:
        return set()
    times = [at for _asset, at, _code in keys]
    query = select(DeviceEvent.asset_id, DeviceEvent.at, DeviceEvent.code).where(
        DeviceEvent.asset_id.in_({asset for asset, _at, _code in keys}),
        DeviceEvent.at >= min(times),
        DeviceEvent.at <= max(times),
    )
    return {(asset, at, code) for asset, at, code in ctx.session.execute(query)}


def read_file(data: bytes) -> list[dict[str, Any]]:
    """Return the lines of a CSV file with the columns asset, at, code[, severity, text].

    Raises:
        Invalid: it is no such file, or lines of it are wrong; `fields` names them.
    """
    rows = csv.DictReader(io.StringIO(_text(data)))
    try:
        header = [name.strip().lower() for name in rows.fieldnames or ()]
        if not set(HEADER) <= set(header):
            message = _l("The first line must name the columns asset, at and code.")
            raise Invalid(message, fields={"file": [message]}, code="bad_header")
        rows.fieldnames = header
        return _checked(rows)
    except csv.Error as error:  # a field of more than 128 kB, a lone quotation mark
        raise _not_text() from error


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _not_text()


def _not_text() -> Invalid:
    message = _l("The file is not text. Save it as CSV in UTF-8.")
    return Invalid(message, fields={"file": [message]}, code="not_text")


def _checked(rows: csv.DictReader[str]) -> list[dict[str, Any]]:
    schema, found = LogLineIn(), []
    wrong: dict[str, list[object]] = {}
    for n, row in enumerate(rows, start=2):
        said = {name: text.strip() for name, text in row.items() if name and text}
        known = {name: text for name, text in said.items() if name in schema.fields}
        if "severity" in known and known["severity"].lower() in SEVERITIES:
            known["severity"] = known["severity"].lower()
        try:
            found.append(schema.load(known))
        except ValidationError as error:
            said_against = error.messages_dict.items()
            texts = [f"{column}: {text}" for column, some in said_against for text in some]
            wrong[f"line {n}"] = [f"{_('Line %(n)s', n=n)}: {' '.join(texts)}"]
        if len(found) > MOST_LINES or len(wrong) >= MOST_ERRORS:
            break
    if len(found) > MOST_LINES:
        message = _l("At most %(n)s lines at once. Cut the file into parts.", n=MOST_LINES)
        raise Invalid(message, fields={"file": [message]})
    if wrong or not found:
        empty = {"file": [_l("The file has no lines.")]}
        flat = {"file": [text for texts in wrong.values() for text in texts]}
        raise Invalid(
            _l("Nothing was stored: some lines are wrong."), fields=flat if wrong else empty
        )
    return found


def events_page(
    ctx: Context, asset: Asset, *, after: str | None = None, limit: int = 50
) -> Page[DeviceEvent]:
    """Return a device's log, the newest line first."""
    query = select(DeviceEvent).where(DeviceEvent.asset_id == asset.id)
    by = [DeviceEvent.at, DeviceEvent.id]
    return page_of(ctx.session, query, by=by, after=after, limit=limit, descending=True)
