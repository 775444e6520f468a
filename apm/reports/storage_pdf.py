"""The temperature and humidity record of a place on paper, signed or still to be signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from jinja2 import Environment

from apm.accounts.model import Hospital
from apm.core.i18n import _l
from apm.core.sources import said_source
from apm.environment.model import StorageRecord
from apm.environment.records import Document
from apm.reports.excursion_pdf import HASH, PROOF, lasting
from apm.reports.sheet import SMALL, STRONG, Cell, Sheet
from apm.reports.words import BELOW, Words

TITLE = _l("Temperature and humidity record")
MEANING = _l("I have checked this record of temperature and humidity")
OUTSIDE, WITHIN, NONE = _l("outside"), _l("within"), _l("no readings")
FORMULA = _l(
    "Lowest, mean and highest of the readings not marked bad, in the hospital's time. A gap is a"
    " time without readings of more than three usual intervals; it is named, and neither within"
    " nor outside. Order 18 (2016), article 10."
)
DRAFT = _l("Not signed yet: this is a draft.")
MOST_GAPS = 40
ROWS = (_l("Time"), _l("Readings"), _l("Lowest"), _l("Mean"), _l("Highest"), _l("State"))
CHECKS = (_l("Day"), _l("Temperature"), _l("Relative humidity"), _l("State"), _l("By whom"),
          _l("Note"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proof:
    """Where the sheet's QR code leads, and who signed; `row` None: nobody yet."""

    url: str
    row: StorageRecord | None


class RecordSheet:
    """Prints one record in the languages asked for."""

    def __init__(self, env: Environment, hospital: Hospital, language: str) -> None:
        self._hospital, self._words = hospital, Words(language)
        self._as_time: Callable[[object], object] = env.filters["datetimeformat"]
        self._as_number: Callable[..., object] = env.filters["decimalformat"]
        self._as_person: Callable[[object], object] = env.filters["person"]

    def pdf(self, document: Document, proof: Proof) -> bytes:
        """Return the file."""
        words, place, row = self._words, document["place"], proof.row
        span = f"{document['first']} – {document['last']}"
        foot = f"{row.code} · SHA-256 {row.record_hash[:HASH]}" if row else span
        sheet = Sheet(
            title=f"{words.word(TITLE)}<br/>{words.name(place['en'], place['zh'])}",
            subtitle=f"{words.name(self._hospital.name, self._hospital.name_zh)} · {span}",
            foot=foot,
            qr=proof.url,
            plain_title=span,
        )
        if row is None:
            sheet.paragraph(f"<b>{words.word(DRAFT)}</b>")
        sheet.facts([
            (words.word(_l("Place"), join=BELOW), words.name(place["en"], place["zh"])),
            (words.word(_l("Floor"), join=BELOW), escape(place["floor"] or "")),
            (words.word(_l("What is kept here"), join=BELOW), escape(place["stores"] or "")),
            (words.word(_l("Period"), join=BELOW), span),
        ])  # fmt: skip
        for sensor in document["sensors"]:
            self._sensor(sheet, sensor)
        if document["by_hand"]:
            self._by_hand(sheet, document["by_hand"])
        sheet.paragraph(words.word(FORMULA, join=BELOW))
        if row:
            self._signature(sheet, row)
        return sheet.pdf()

    def _time(self, said: str | datetime) -> str:
        at = datetime.fromisoformat(said) if isinstance(said, str) else said
        return self._words.call(self._as_time, at)

    def _number(self, value: float | None, digits: int = 2) -> str:
        if value is None:
            return "–"
        return self._words.call(self._as_number, round(value, digits))

    def _sensor(self, sheet: Sheet, sensor: Document) -> None:
        words, limits, unit = self._words, sensor["limits"], escape(sensor["unit"])
        sheet.heading(f"{words.name(sensor['en'], sensor['zh'])} · {escape(sensor['code'])}")
        bounds = ""
        if limits:
            bounds = f"{self._number(limits['low'])} – {self._number(limits['high'])} {unit}"
            bounds += f"<br/>{words.call(said_source, limits['source'], join=BELOW)}"
            if limits["to_verify"]:
                bounds += f"<br/><b>{words.word(_l('To be verified'))}</b>"
        figures = " / ".join(self._number(sensor[name]) for name in ("low", "mean", "high"))
        spent = {
            name: words.call(lasting, sensor[name]) if sensor[name] else ""
            for name in ("outside_s", "gap_s")
        }
        sheet.facts([
            (words.word(_l("Limits"), join=BELOW), bounds),
            (words.word(_l("Lowest, mean, highest"), join=BELOW), f"{figures} {unit}"),
            (words.word(_l("Outside the limits"), join=BELOW), spent["outside_s"]),
            (words.word(_l("Without readings"), join=BELOW), spent["gap_s"]),
            (words.word(_l("Readings"), join=BELOW), str(sensor["n"])),
        ])  # fmt: skip
        for one in sensor["excursions"]:
            sheet.paragraph(self._excursion(one, unit))
        for begin, end in sensor["gaps"][:MOST_GAPS]:
            gap = words.word(_l("Gap"))
            sheet.paragraph(f"{gap}: {self._time(begin)} – {self._time(end)}")
        sheet.table(
            [words.word(head) for head in ROWS],
            [self._row(row, limits) for row in sensor["rows"]],
            (0.24, 0.14, 0.14, 0.14, 0.14, 0.2),
        )

    def _excursion(self, one: Document, unit: str) -> str:
        words = self._words
        text = f"<b>{words.label('side', one['side'])}</b>: {self._time(one['start'])} – "
        text += words.word(_l("goes on")) if one["is_open"] else self._time(one["end"])
        text += f" ({words.call(lasting, one['seconds'])}), {self._number(one['extreme'])} {unit}"
        if one["mkt"] is not None:
            text += f", MKT {self._number(one['mkt'], 1)} °C"
        return text

    def _row(self, row: list[Any], limits: Document | None) -> list[str | Cell]:
        when, n, low, mean, high = row
        words = self._words
        if not n:
            state: str | Cell = (words.word(NONE), STRONG)
        elif limits is None:
            state = "–"
        elif low < limits["low"] or high > limits["high"]:
            state = (words.word(OUTSIDE), STRONG)
        else:
            state = words.word(WITHIN)
        return [when, str(n), self._number(low), self._number(mean), self._number(high), state]

    def _by_hand(self, sheet: Sheet, by_hand: Document) -> None:
        words = self._words
        sheet.heading(words.word(_l("Checked by hand")))
        count = _l(
            "%(n)s of %(of)s checks were written down.",
            n=len(by_hand["rows"]),
            of=by_hand["expected"],
        )
        sheet.paragraph(words.word(count, join=BELOW))
        rows: list[list[str | Cell]] = []
        for row in by_hand["rows"]:
            state: str | Cell = words.word(WITHIN)
            if row["is_outside"]:
                state = (words.word(OUTSIDE), STRONG)
            said = " · ".join(filter(None, (row["note"], row["correction"])))
            rows.append([
                f"{row['day']} {words.label('slot', row['slot'])}",
                self._number(row["temperature"]), self._number(row["humidity"]), state,
                f"{words.call(self._as_person, row['by'])}<br/>{self._time(row['at'])}",
                escape(said),
            ])  # fmt: skip
        if rows:
            heads = [words.word(head) for head in CHECKS]
            sheet.table(heads, rows, (0.2, 0.12, 0.12, 0.13, 0.22, 0.21))

    def _signature(self, sheet: Sheet, row: StorageRecord) -> None:
        words = self._words
        sheet.heading(words.word(_l("Signature")))
        head = [words.word(text) for text in (_l("Signatory"), _l("Meaning"), _l("Time"))]
        signed: list[str | Cell] = [
            escape(row.person), words.word(MEANING, join=BELOW), self._time(row.signed_at),
            (row.record_hash[:HASH], SMALL),
        ]  # fmt: skip
        sheet.table([*head, "SHA-256"], [signed], (0.2, 0.32, 0.23, 0.25))
        sheet.paragraph(words.word(PROOF, join=BELOW))
