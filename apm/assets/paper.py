"""What printed sheets share: fonts with Chinese letters, and QR codes as drawings."""

from __future__ import annotations

from functools import cache

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from apm.assets.qr import QUIET, dark_runs, modules_of
from apm.core.errors import Conflict
from apm.core.i18n import _l
from apm.core.settings import ROOT

FONTS = ROOT / "static" / "vendor" / "fonts"
REGULAR, BOLD = "NotoSansSC-Regular", "NotoSansSC-Bold"


def draw_qr(canvas: Canvas, text: str, side: float, corner: tuple[float, float]) -> None:
    """Draw the QR code of `text`, margin included, `side` points wide, at its lower left."""
    modules = modules_of(text)
    unit = side / (len(modules) + 2 * QUIET)
    left, top = corner[0] + QUIET * unit, corner[1] + side - QUIET * unit
    path = canvas.beginPath()
    for row, column, length in dark_runs(modules):
        # A hair higher than a square: renderers else leave white lines between the rows.
        path.rect(left + column * unit, top - (row + 1) * unit, length * unit, unit * 1.02)
    canvas.drawPath(path, stroke=0, fill=1)


@cache
def register_fonts() -> None:
    """Make the fonts known to ReportLab.

    Raises:
        Conflict: they were not installed.
    """
    for name in (REGULAR, BOLD):
        path = FONTS / f"{name}.ttf"
        if not path.exists():
            raise Conflict(
                _l("The font for printed sheets is missing. Run: make vendor"), code="font_missing"
            )
        pdfmetrics.registerFont(TTFont(name, path))
