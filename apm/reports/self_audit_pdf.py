"""The self-audit on paper, with room for what people have to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jinja2 import Environment

from apm.accounts.model import Hospital
from apm.core.i18n import _l
from apm.reports.self_audit import Line, Part
from apm.reports.sheet import STRONG, Cell, Sheet
from apm.reports.words import BELOW, Words

TITLE = _l("Annual self-audit of devices in use")
BASIS = _l(
    "Skeleton after the Measures for the supervision of the quality of medical devices in use"
    " (Order 18 of 2016). The figures come from the records as they stand today; the articles are"
    " named from a summary: check them against the text of the order."
)
ROOM = "<br/>&nbsp;" * 3


def self_audit_pdf(
    env: Environment,
    hospital: Hospital,
    year: int,
    parts: Sequence[Part],
    *,
    language: str,
    url: str,
) -> bytes:
    """Return the file; `url` is the page with the same figures, in its QR code."""
    words = Words(language)
    number: Callable[..., object] = env.filters["decimalformat"]
    sheet = Sheet(
        title=f"{words.word(TITLE)} · {year}",
        subtitle=words.name(hospital.name, hospital.name_zh),
        foot=f"{hospital.code} · {year}",
        qr=url,
        plain_title=str(year),
    )
    sheet.paragraph(words.word(BASIS, join=BELOW))

    def line(one: Line) -> list[str | Cell]:
        mark = words.word(_l("Explain")) if one.wants_words else ""
        return [words.word(one.text, join=BELOW), (str(number(one.value)), STRONG), mark]

    heads = [words.word(_l("From the records")), words.word(_l("Count")), ""]
    for part in parts:
        sheet.heading(f"{words.word(part.article)} · {words.word(part.title)}")
        if part.lines:
            sheet.table(heads, [line(one) for one in part.lines], (0.66, 0.14, 0.2))
        sheet.paragraph(f"<i>{words.word(part.to_write, join=BELOW)}</i>{ROOM}")
    return sheet.pdf()
