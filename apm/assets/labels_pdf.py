"""Sheets of labels as PDF: a QR code, the names, the number, the department, the code."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from apm.assets.model import Asset
from apm.assets.paper import BOLD, REGULAR, draw_qr, register_fonts
from apm.assets.qr import label_url
from apm.core.i18n import _, choose

PAGE = (210 * mm, 297 * mm)


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """A sheet of self-adhesive labels; lengths in millimetres."""

    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    gap_x: float
    gap_y: float
    qr: float


FORMATS = {
    "a4-3x8": SheetFormat(3, 8, 63.5, 33.9, 7.25, 12.9, 2.5, 0, 27),
    "a4-2x7": SheetFormat(2, 7, 99.1, 38.1, 4.65, 15.15, 2.5, 0, 32),
}


def label_sheets(assets: Iterable[Asset], *, base_url: str, sheet: str = "a4-3x8") -> bytes:
    """Return a PDF with one label an asset; departments must be loaded.

    Raises:
        Conflict: the font with Chinese letters was not installed.
    """
    register_fonts()
    form = FORMATS[sheet]
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=PAGE, pageCompression=1)
    canvas.setTitle(_("Labels"))
    for index, asset in enumerate(assets):
        place = index % (form.columns * form.rows)
        if place == 0 and index:
            canvas.showPage()
        row, column = divmod(place, form.columns)
        x = (form.left + column * (form.width + form.gap_x)) * mm
        y = PAGE[1] - (form.top + row * (form.height + form.gap_y) + form.height) * mm
        _label(canvas, asset, label_url(base_url, asset.code), form, (x, y))
    canvas.save()
    return out.getvalue()


def _label(
    canvas: Canvas, asset: Asset, url: str, form: SheetFormat, corner: tuple[float, float]
) -> None:
    left, bottom = corner
    height = form.height * mm
    draw_qr(canvas, url, form.qr * mm, (left + 2 * mm, bottom + (height - form.qr * mm) / 2))
    x = left + (form.qr + 3) * mm
    width = form.width * mm - (form.qr + 5) * mm
    place = asset.department
    lines = (
        (BOLD, 10, choose(asset.name, asset.name_zh)),
        (REGULAR, 7, _other_name(asset)),
        (REGULAR, 8, asset.number),
        (REGULAR, 7, choose(place.name, place.name_zh) if place else ""),
        (BOLD, 9, " ".join((asset.code[:4], asset.code[4:]))),
    )
    y = bottom + height - 7 * mm
    for font, size, text in lines:
        canvas.setFont(font, size)
        canvas.drawString(x, y, _fitted(text, font, size, width))
        y -= (size + 3.2) * (height / (33.9 * mm))


def _other_name(asset: Asset) -> str:
    shown = choose(asset.name, asset.name_zh)
    return next((n for n in (asset.name, asset.name_zh) if n and n != shown), "")


def _fitted(text: str, font: str, size: float, width: float) -> str:
    if pdfmetrics.stringWidth(text, font, size) <= width:
        return text
    while text and pdfmetrics.stringWidth(text + "…", font, size) > width:
        text = text[:-1]
    return text + "…"
