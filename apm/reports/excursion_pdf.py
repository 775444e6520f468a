"""The signed report of an excursion on paper: what was measured, decided, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any

from jinja2 import Environment

from apm.accounts.model import Hospital
from apm.assets.paper import register_fonts
from apm.core.i18n import _, _l
from apm.core.sources import said_source
from apm.environment.model import ExcursionReport
from apm.reports.curve import curve
from apm.reports.sheet import SMALL, Cell, Sheet
from apm.reports.words import BELOW, Words

HASH = 32
"""Characters of the digest that are printed; the whole one is behind the QR code."""
MEANING = _l("I have reviewed this excursion and decided on the goods")
PROOF = _l("Scan the code to see whether this sheet still says what the record says.")
MKT_NOTE = _l(
    "Mean kinetic temperature: T = (E/R) / -ln(sum(t exp(-E/RT)) / sum(t)), E = 83.144 kJ/mol,"
    " over the excursion and the 24 hours before its end. It does not excuse freezing."
)
CUT_NOTE = _l("A gap follows: it may have lasted longer.")
VERIFY_NOTE = _l("The limits are from memory and still to be verified.")


class ExcursionSheet:
    """Prints one signed report in the languages asked for."""

    def __init__(
        self, env: Environment, hospital: Hospital, row: ExcursionReport, language: str
    ) -> None:
        self._row, self._hospital = row, hospital
        self._facts: dict[str, Any] = row.facts
        self._words = Words(language)
        self._as_time: Callable[[object], object] = env.filters["datetimeformat"]
        self._as_person: Callable[[object], object] = env.filters["person"]
        self._as_number: Callable[..., object] = env.filters["decimalformat"]

    def pdf(self, url: str) -> bytes:
        """Return the file; `url` is what its QR code opens."""
        register_fonts()
        row, words, facts = self._row, self._words, self._facts
        sensor = facts["sensor"]
        sheet = Sheet(
            title=f"{words.word(_l('Excursion report'))} · {row.id}",
            subtitle=words.name(self._hospital.name, self._hospital.name_zh),
            foot=f"{row.code} · SHA-256 {(row.record_hash or '')[:HASH]}",
            qr=url,
            plain_title=f"{sensor['code']} {row.began:%Y-%m-%d}",
        )
        sheet.heading(words.word(_l("What was measured")))
        sheet.facts(self._measured())
        self._notes(sheet)
        sheet.add(self._curve())
        sheet.heading(words.word(_l("Noticed, and concerned")))
        sheet.facts(self._noticed())
        sheet.heading(words.word(_l("Measures and decision")))
        sheet.facts(self._said())
        sheet.heading(words.word(_l("Signature")))
        head = [words.word(text) for text in (_l("Signatory"), _l("Meaning"), _l("Time"))]
        signed: list[str | Cell] = [
            escape(row.person or ""), words.word(MEANING, join=BELOW), self._time(row.signed_at),
            ((row.record_hash or "")[:HASH], SMALL),
        ]  # fmt: skip
        sheet.table([*head, "SHA-256"], [signed], (0.2, 0.32, 0.23, 0.25))
        sheet.paragraph(words.word(PROOF, join=BELOW))
        return sheet.pdf()

    def _time(self, said: str | datetime | None) -> str:
        at = datetime.fromisoformat(said) if isinstance(said, str) else said
        return self._words.call(self._as_time, at) if at else ""

    def _number(self, value: float, digits: int = 2) -> str:
        return self._words.call(self._as_number, round(value, digits))

    def _pair(self, name: object, value: str) -> tuple[str, str]:
        return self._words.word(name, join=BELOW), value

    def _measured(self) -> list[tuple[str, str]]:
        facts, words = self._facts, self._words
        sensor, place, limits = facts["sensor"], facts["place"], facts["limits"]
        unit = escape(sensor["unit"])
        room = words.name(place["en"], place["zh"]) if place["en"] else ""
        bounds = ""
        if limits:
            bounds = f"{self._number(limits['low'])} – {self._number(limits['high'])} {unit}"
            bounds += f"<br/>{words.call(said_source, limits['source'], join=BELOW)}"
        named = f"{words.name(sensor['en'], sensor['zh'])} · {escape(sensor['code'])}"
        mkt, air = facts["mkt"], facts["air"]
        return [
            self._pair(_l("Sensor"), named),
            self._pair(_l("Place"), room),
            self._pair(_l("Limits"), bounds),
            self._pair(_l("Excursion"), words.label("side", facts["side"])),
            self._pair(_l("From"), self._time(facts["start"])),
            self._pair(_l("To"), self._time(facts["end"])),
            self._pair(_l("Lasted"), words.call(lasting, facts["seconds"], join=BELOW)),
            self._pair(_l("Extreme"), f"{self._number(facts['extreme'])} {unit}"),
            self._pair(_l("Readings outside"), str(facts["n"])),
            self._pair(_l("Mean kinetic temperature"),
                       f"{self._number(mkt['value'], 1)} °C" if mkt else ""),
            self._pair(_l("Dew point"), f"{self._number(air['dew_point'], 1)} °C" if air else ""),
        ]  # fmt: skip

    def _notes(self, sheet: Sheet) -> None:
        facts = self._facts
        if facts["is_cut"]:
            sheet.paragraph(self._words.word(CUT_NOTE, join=BELOW))
        if facts["limits"] and facts["limits"]["to_verify"]:
            sheet.paragraph(self._words.word(VERIFY_NOTE, join=BELOW))
        if facts["mkt"]:
            sheet.paragraph(self._words.word(MKT_NOTE, join=BELOW))

    def _curve(self) -> Any:
        facts, limits = self._facts, self._facts["limits"]
        points = [(datetime.fromisoformat(at), value) for at, value in facts["curve"]]
        ends = [self._time(at) for at in (points[0][0], points[-1][0])]
        return curve(
            points,
            limits=(limits["low"], limits["high"]) if limits else None,
            shaded=(datetime.fromisoformat(facts["start"]), datetime.fromisoformat(facts["end"])),
            when=ends,
        )

    def _noticed(self) -> list[tuple[str, str]]:
        facts, words = self._facts, self._words
        alarm = facts["alarm"]
        none = words.word(_l("No alarm was raised in this time."), join=BELOW)
        things = "<br/>".join(
            f"{words.name(one['en'], one['zh'])} {escape(one['number'])}"
            for one in facts["equipment"]
        )
        by_whom = ""
        if _has_by(alarm):
            by_whom = f"{words.call(self._as_person, alarm['by'])}<br/>{self._time(alarm['at'])}"
        return [
            self._pair(_l("Alarm since"), self._time(alarm["since"]) if alarm else none),
            self._pair(_l("Acknowledged by"), by_whom),
            self._pair(_l("Note"), escape(alarm["note"] or "") if alarm else ""),
            self._pair(_l("Work orders"), escape(" ".join(facts["orders"]))),
            self._pair(_l("Equipment"), things),
        ]

    def _said(self) -> list[tuple[str, str]]:
        row, words = self._row, self._words
        decision = words.label("decision", row.decision) if row.decision else ""
        return [
            self._pair(_l("Goods or equipment concerned"), escape(row.products or "")),
            self._pair(_l("Cause of the excursion"), escape(row.cause or "")),
            self._pair(_l("What was done"), escape(row.action or "")),
            self._pair(_l("Decision on the goods"), decision),
            self._pair(_l("Reason for the decision"), escape(row.decision_reason or "")),
        ]


def lasting(seconds: float) -> str:
    """Return a duration in words, to the minute."""
    minutes = round(seconds / 60)
    return _("%(h)s h %(m)s min", h=minutes // 60, m=minutes % 60)


def _has_by(alarm: dict[str, Any] | None) -> bool:
    return bool(alarm and alarm["by"] and alarm["at"])
