"""A month's or a year's punctuality on paper."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from jinja2 import Environment

from apm.accounts.model import Hospital
from apm.core.i18n import _l
from apm.maintenance.model import Occurrence
from apm.reports.compliance import BeforeUse, Compliance, Excused, Punctual, Span
from apm.reports.sheet import STRONG, Cell, Sheet
from apm.reports.words import BELOW, Words

HEADS = (
    _l("Department"), _l("In time"), _l("Late"), _l("Missed"), _l("Overdue"), _l("Share in time"),
    _l("In use"), _l("Not located"), _l("Held out of use"), _l("Window still open"),
)  # fmt: skip
SHARES = (0.2, 0.08, 0.07, 0.08, 0.08, 0.17, 0.07, 0.08, 0.09, 0.08)
PROOF = (_l("Reason"), _l("Asset"), _l("Due on"), _l("Proof"))
LATER = (_l("Asset"), _l("Due on"), _l("Proof"), _l("In time until"), _l("Done on"))
FORMULA = _l(
    "Share in time = in time / (in time + late + missed + overdue), by due date as it stood when"
    " the work order was made; in brackets the 90 % interval (Wilson). Excused due dates (in use,"
    " not located, held) and those whose window is still open are not counted in it."
)

BEFORE_USE = _l(
    "Equipment that was out of use on its due date, or on the last day of the window, is due"
    " before use: in time until its window ends or, if that is later, 7 days after its return (the"
    " plan's days of grace, if they are fewer). It is counted under its due date, which stays."
)


def compliance_pdf(
    env: Environment,
    hospital: Hospital,
    span: Span,
    found: Compliance,
    *,
    language: str,
    url: str,
) -> bytes:
    """Return the file; `url` is the page that shows the same figures, in its QR code."""
    words = Words(language)
    number: Callable[..., object] = env.filters["decimalformat"]
    when = f"{span.year}-{span.month:02d}" if span.month else str(span.year)
    sheet = Sheet(
        title=f"{words.word(_l('Punctuality of maintenance'))} · {when}",
        subtitle=words.name(hospital.name, hospital.name_zh),
        foot=f"{hospital.code} · {when}",
        qr=url,
        plain_title=when,
    )

    def share_of(row: Punctual) -> str:
        if row.share is None or row.interval is None:
            return words.word(_l("Nothing to judge yet"))
        low, high = row.interval
        said = [number(100 * part, "0") for part in (row.share, low, high)]
        return "{} % ({}–{} %)<br/>n = {}".format(*said, row.judged)

    def line(row: Punctual, name: str) -> list[str | Cell]:
        return [
            (name, STRONG), str(row.in_time), str(row.late), str(row.missed), str(row.overdue),
            share_of(row), str(row.in_use), str(row.not_located), str(row.held), str(row.pending),
        ]  # fmt: skip

    def name_of(row: Punctual) -> str:
        none = words.word(_l("No department"))
        return words.name(row.name, row.name_zh) if row.name else none

    lines = [line(found.total, words.word(_l("All departments")))]
    lines += [line(row, name_of(row)) for row in found.rows]
    sheet.table([words.word(head, join=BELOW) for head in HEADS], lines, SHARES)
    sheet.paragraph(words.word(FORMULA, join=BELOW))
    _apart(sheet, words, env, found)
    return sheet.pdf()


def _apart(sheet: Sheet, words: Words, env: Environment, found: Compliance) -> None:
    """Write the lists of what needs a word: the excused, and what was due before use."""
    day: Callable[..., object] = env.filters["dateformat"]

    def asset(one: Excused | BeforeUse) -> str:
        return f"{words.name(one.asset.name, one.asset.name_zh)} {escape(one.asset.number)}"

    def away(one: Excused | Occurrence) -> str:
        last = words.call(day, one.held_until) if one.held_until else "…"
        return f"{words.call(day, one.held_since)} – {last}" if one.held_since else ""

    def proof(one: Excused) -> str:
        return escape(" · ".join(filter(None, (away(one), one.note, one.decided_by)))) or "–"

    if found.excused:
        sheet.heading(words.word(_l("Excused, with what proves it")))
        sheet.table(
            [words.word(head, join=BELOW) for head in PROOF],
            [
                [
                    words.label("occurrence_outcome", one.outcome),
                    asset(one),
                    words.call(day, one.due),
                    escape(" · ".join(filter(None, (proof(one), one.note, one.decided_by))))
                    or "–",
                ]
                for one in found.excused
            ],
            (0.16, 0.3, 0.16, 0.38),
        )
    if found.before_use:
        sheet.heading(words.word(_l("Due before use, after a time out of use")))
        sheet.table(
            [words.word(head, join=BELOW) for head in LATER],
            [
                [
                    asset(each),
                    words.call(day, each.occurrence.due),
                    away(each.occurrence),
                    words.call(day, each.occurrence.late_after),
                    words.call(day, each.occurrence.done_on) if each.occurrence.done_on else "–",
                ]
                for each in found.before_use
            ],
            (0.32, 0.16, 0.2, 0.16, 0.16),
        )
        sheet.paragraph(words.word(BEFORE_USE, join=BELOW))
