"""How a printed record looks: A4, two tables, signatures, a QR code on every page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)

from apm.assets.paper import BOLD, REGULAR, draw_qr, register_fonts

MARGIN, TOP, HEAD, FOOT, QR = 16 * mm, 10 * mm, 30 * mm, 16 * mm, 22 * mm
"""The head is taller where a title in two languages takes more lines."""
AFTER_TABLE = 2.5 * mm
WIDTH = A4[0] - 2 * MARGIN
BESIDE_QR = WIDTH - QR - 4 * mm
INK, GREY, LINE, BAND = (
    HexColor("#14181f"),
    HexColor("#555f6d"),
    HexColor("#c5ccd6"),
    HexColor("#eef1f5"),
)


def _style(name: str, size: float, font: str = REGULAR, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=font,
        fontSize=size,
        leading=size * 1.35,
        textColor=INK,
        wordWrap="CJK",
        **more,
    )


SMALL = _style("small", 7.5)
BODY = _style("body", 8.5)
STRONG = _style("strong", 8.5, BOLD)
HEADING = _style("heading", 11, BOLD, spaceBefore=5 * mm, spaceAfter=1.5 * mm, keepWithNext=1)

Cell = tuple[str, ParagraphStyle]


def _paragraph(cell: str | Cell) -> Paragraph:
    return Paragraph(*cell) if isinstance(cell, tuple) else Paragraph(cell, BODY)


def _pairs(line: Sequence[tuple[str, str]]) -> list[Paragraph | str]:
    cells: list[Paragraph | str] = []
    for name, value in line:
        cells += [Paragraph(name, SMALL), Paragraph(value, BODY)]
    return cells + [""] * (4 - len(cells))


class Sheet:
    """Collects a report's parts from top to bottom; `pdf()` returns the file."""

    def __init__(self, *, title: str, subtitle: str, foot: str, qr: str, plain_title: str) -> None:
        register_fonts()
        self._foot, self._qr = foot, qr
        self._plain_title = plain_title
        self._above = [(Paragraph(title, _style("title", 14, BOLD)), 0.0)]
        self._above.append((Paragraph(subtitle, BODY), 1 * mm))
        tall = sum(part.wrap(BESIDE_QR, A4[1])[1] + gap for part, gap in self._above)
        self._head = max(HEAD, TOP + tall - 2 * mm)
        self._parts: list[Flowable] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(Paragraph(text, HEADING))

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(Paragraph(text, BODY))
        self._parts.append(Spacer(1, 1.5 * mm))

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Add pairs of a name and a value, two pairs a line; empty values are left out."""
        known = [(name, value) for name, value in rows if value]
        lines = [known[k : k + 2] for k in range(0, len(known), 2)]
        cells = [
            [
                cell
                for name, value in line
                for cell in (Paragraph(name, SMALL), Paragraph(value, BODY))
            ]
            + [""] * (4 - 2 * len(line))
            for line in lines
        ]
        if not cells:
            return
        share = (0.17, 0.33, 0.17, 0.33)
        table = LongTable(cells, colWidths=[WIDTH * s for s in share], spaceAfter=AFTER_TABLE)
        table.setStyle(
            TableStyle([
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("BACKGROUND", (0, 0), (0, -1), BAND),
                ("BACKGROUND", (2, 0), (2, -1), BAND),
            ])
        )  # fmt: skip
        self._parts.append(table)

    def table(
        self, head: Sequence[str], rows: Sequence[Sequence[str | Cell]], shares: Sequence[float]
    ) -> None:
        """Add a table whose head is repeated on each page; `shares` of the width sum to 1."""
        cells = [[Paragraph(text, SMALL) for text in head]]
        cells += [[_paragraph(cell) for cell in row] for row in rows]
        table = LongTable(
            cells, colWidths=[WIDTH * s for s in shares], repeatRows=1, spaceAfter=AFTER_TABLE
        )
        table.setStyle(
            TableStyle([
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), BAND),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ])
        )  # fmt: skip
        self._parts.append(table)

    def add(self, part: Flowable) -> None:
        """Add a part drawn elsewhere."""
        self._parts.append(part)

    def pdf(self) -> bytes:
        """Return the file."""
        out = io.BytesIO()
        frame = Frame(
            MARGIN, FOOT, WIDTH, A4[1] - self._head - FOOT - 6 * mm,
            leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
        )  # fmt: skip
        document = BaseDocTemplate(out, pagesize=A4, title=self._plain_title, author="apm")
        document.addPageTemplates(PageTemplate(frames=[frame], onPage=self._frame_page))
        document.build(list(self._parts))
        return out.getvalue()

    def _frame_page(self, canvas: Canvas, document: Any) -> None:
        top = y = A4[1] - TOP
        for part, gap in self._above:
            y -= part.wrap(BESIDE_QR, A4[1])[1] + gap
            part.drawOn(canvas, MARGIN, y)
        draw_qr(canvas, self._qr, QR, (A4[0] - MARGIN - QR, top - QR))
        canvas.setStrokeColor(LINE)
        below = A4[1] - self._head - 4 * mm
        canvas.line(MARGIN, below, A4[0] - MARGIN, below)
        canvas.setFillColor(GREY)
        canvas.setFont(REGULAR, 7)
        canvas.drawString(MARGIN, 9 * mm, self._foot)
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, str(document.page))
