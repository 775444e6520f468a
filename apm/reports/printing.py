"""A work order as a printed record: what, on which equipment, measured how, signed by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html import escape
from itertools import groupby

from jinja2 import Environment

from apm.accounts.model import Hospital
from apm.assets.model import Asset
from apm.core.i18n import _l, ngettext
from apm.core.units import shown
from apm.procedures.model import Verdict
from apm.reports.model import IssuedReport
from apm.reports.sheet import SMALL, STRONG, Cell, Sheet
from apm.reports.words import BELOW, Words
from apm.work.causes import cause_name
from apm.work.model import WorkOrder, WorkStep
from apm.work.states import WorkState

Show = Callable[[object], object]
HASH = 32
"""Characters of a digest that are printed; the whole one is behind the QR code."""


class OrderReport:
    """Prints one order, loaded whole, in the languages of `report`."""

    def __init__(
        self, env: Environment, hospital: Hospital, order: WorkOrder, report: IssuedReport
    ) -> None:
        self._order, self._report, self._hospital = order, report, hospital
        self._words = Words(report.language)
        self._as_time: Show = env.filters["datetimeformat"]
        self._as_number: Show = env.filters["decimalformat"]
        self._as_limit: Callable[..., object] = env.get_template("_/work.html").module.limit  # type: ignore[attr-defined]  # a macro

    def pdf(self, verify_url: str) -> bytes:
        """Return the file; `verify_url` is what its QR code opens."""
        order, words, hospital = self._order, self._words, self._hospital
        sheet = Sheet(
            title=f"{words.label('work_type', order.type)} · {order.no}",
            subtitle=words.name(hospital.name, hospital.name_zh),
            foot=f"{order.no} · {self._report.code} · SHA-256 {self._report.record_hash[:HASH]}",
            qr=verify_url,
            plain_title=order.no,
        )
        if order.asset:
            sheet.heading(words.word(_l("Equipment")))
            sheet.facts(self._about(order.asset))
        sheet.heading(words.word(_l("Work")))
        sheet.facts(self._work())
        if order.steps:
            self._steps(sheet)
        if n := len(order.photos):
            sheet.paragraph(words.call(_photos, n, join=BELOW))
        self._signatures(sheet)
        self._addenda(sheet)
        proof = _l("Scan the code to see whether this sheet still says what the record says.")
        sheet.paragraph(words.word(proof, join=BELOW))
        return sheet.pdf()

    def _time(self, at: datetime | None) -> str:
        return self._words.call(self._as_time, at) if at else ""

    def _about(self, asset: Asset) -> list[tuple[str, str]]:
        words, place = self._words, asset.department
        where = words.name(place.name, place.name_zh) if place else ""
        return [
            (words.word(_l("Name"), join=BELOW), words.name(asset.name, asset.name_zh)),
            (words.word(_l("Number"), join=BELOW), escape(f"{asset.number} · {asset.code}")),
            (words.word(_l("Manufacturer"), join=BELOW), escape(asset.manufacturer or "")),
            (words.word(_l("Model"), join=BELOW), escape(asset.model or "")),
            (words.word(_l("Serial number"), join=BELOW), escape(asset.serial or "")),
            (words.word(_l("Department"), join=BELOW), where),
            (words.word(_l("Risk"), join=BELOW), words.label("risk", asset.risk)),
        ]

    def _work(self) -> list[tuple[str, str]]:
        order, words = self._order, self._words
        worker = order.performed_by or order.assignee_name or ""
        cause = words.call(cause_name, order.cause_code) if order.cause_code else ""
        minutes = words.word(_l("%(n)s min", n=order.labour_minutes))
        return [
            (words.word(_l("Title"), join=BELOW), words.name(order.title, order.title_zh)),
            (words.word(_l("State"), join=BELOW), words.label("work_order", order.state)),
            (words.word(_l("Opened"), join=BELOW), self._time(order.created_at)),
            (words.word(_l("Done"), join=BELOW), self._time(order.done_at)),
            (words.word(_l("Who did the work"), join=BELOW), escape(worker)),
            (words.word(_l("Working time"), join=BELOW), minutes if order.labour_minutes else ""),
            (words.word(_l("Cause"), join=BELOW), cause),
            (words.word(_l("What was done?"), join=BELOW), escape(order.remedy or "")),
            (words.word(_l("Down from"), join=BELOW), self._time(order.down_from)),
            (words.word(_l("Down until"), join=BELOW), self._time(order.down_until)),
        ]

    def _steps(self, sheet: Sheet) -> None:
        order, words = self._order, self._words
        sheet.heading(words.word(_l("Checklist")))
        counts = {v: sum(step.verdict is v for step in order.steps) for v in Verdict}
        sheet.paragraph(
            " · ".join(f"{words.label('verdict', v)}: {n}" for v, n in counts.items() if n)
        )
        rows: list[list[str | Cell]] = []
        for section, steps in groupby(order.steps, key=lambda step: step.section):
            rows.append([(words.label("section", section), STRONG), "", "", ""])
            rows += [self._row(step) for step in steps]
        head = [words.word(text) for text in (_l("Step"), _l("Value"), _l("Limit"), _l("Result"))]
        sheet.table(head, rows, (0.44, 0.16, 0.24, 0.16))

    def _row(self, step: WorkStep) -> list[str | Cell]:
        words, verdict = self._words, step.verdict
        text = words.name(step.text, step.text_zh)
        if step.reference_text:
            text += f" · {escape(step.reference_text)}"
        if step.note:
            text += f"<br/>{escape(step.note)}"
        value = ""
        if step.value is not None:
            value = f"{words.call(self._as_number, step.value)} {escape(shown(step.unit))}"
        result = words.label("verdict", verdict) if verdict else "–"
        look = STRONG if verdict is Verdict.FAIL else SMALL
        return [text, value, (self._limit_of(step), SMALL), (result, look)]

    def _limit_of(self, step: WorkStep) -> str:
        if not step.tolerance:
            return ""
        text = self._words.call(self._limit_words, step, join=BELOW)
        if step.source:
            text += f"<br/>{escape(step.source)}"
        if step.to_verify:
            text += f"<br/><b>{self._words.word(_l('Verify'))}</b>"
        return text

    def _limit_words(self, step: WorkStep) -> str:
        limit = self._as_limit(step.tolerance, step.reference, shown(step.unit), step.reference)
        return str(limit).strip()

    def _signatures(self, sheet: Sheet) -> None:
        order, words = self._order, self._words
        sheet.heading(words.word(_l("Signatures")))
        if order.state is not WorkState.CLOSED:
            draft = _l("Not approved yet: this is a draft.")
            sheet.paragraph(words.word(draft, join=BELOW))
        rows: list[list[str | Cell]] = [
            [
                escape(signed.name),
                words.label("signature", signed.meaning),
                self._time(signed.at),
                (signed.record_hash[:HASH], SMALL),
            ]
            for signed in order.signatures
        ]
        if rows:
            head = [words.word(text) for text in (_l("Name"), _l("Meaning"), _l("Time"))]
            sheet.table([*head, "SHA-256"], rows, (0.22, 0.26, 0.27, 0.25))

    def _addenda(self, sheet: Sheet) -> None:
        if self._order.addenda:
            sheet.heading(self._words.word(_l("Added after signing")))
        for added in self._order.addenda:
            who = f"{escape(added.author)}, {self._time(added.at)}"
            sheet.paragraph(f"{escape(added.text)}<br/>{who}")


def _photos(n: int) -> str:
    return ngettext(
        "%(n)s photo belongs to this record.", "%(n)s photos belong to this record.", n
    )
