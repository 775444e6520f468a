"""A curve with its limits, drawn as vectors: it stays sharp on paper and needs no browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm

from apm.assets.paper import REGULAR
from apm.reports.sheet import GREY, INK, LINE, WIDTH

HEIGHT, LEFT, BELOW, ABOVE = 55 * mm, 12 * mm, 7 * mm, 3 * mm
LIMIT, SHADE = HexColor("#a92318"), HexColor("#fdefd3")
SIZE = 7
TICKS = 4
Point = tuple[datetime, float | None]


def curve(
    points: Sequence[Point],
    *,
    limits: tuple[float, float] | None,
    shaded: tuple[datetime, datetime] | None,
    when: Sequence[str],
) -> Drawing:
    """Return the drawing; `when` are the words for its first and last instant.  None is a gap."""
    seen = [value for _at, value in points if value is not None]
    low, high = min([*seen, *(limits or ())]), max([*seen, *(limits or ())])
    pad = (high - low) * 0.06 or 1.0
    box = _Box(points[0][0], points[-1][0], low - pad, high + pad)
    drawing = Drawing(WIDTH, HEIGHT)
    if shaded:
        left, right = max(box.x(shaded[0]), LEFT), min(box.x(shaded[1]), WIDTH)
        shade = Rect(left, BELOW, max(right - left, 1), box.height)
        shade.fillColor, shade.strokeColor = SHADE, None
        drawing.add(shade)
    for k in range(TICKS + 1):
        value = low + (high - low) * k / TICKS
        drawing.add(_line(box.y(value), LINE))
        drawing.add(_text(0, box.y(value) - 2, f"{value:.1f}"))
    for limit in limits or ():
        drawing.add(_line(box.y(limit), LIMIT, dash=[3, 2]))
    for part in _unbroken(points):
        flat = [edge for at, value in part for edge in (box.x(at), box.y(value))]
        drawing.add(PolyLine(flat, strokeColor=INK, strokeWidth=0.9))
    drawing.add(_text(LEFT, 0, when[0]))
    drawing.add(_text(WIDTH, 0, when[1], anchor="end"))
    return drawing


class _Box:
    """Turns instants and values into points of the paper."""

    def __init__(self, first: datetime, last: datetime, low: float, high: float) -> None:
        self._first, self._low = first, low
        self._span = (last - first).total_seconds() or 1.0
        self._reach = high - low
        self.height = HEIGHT - BELOW - ABOVE

    def x(self, at: datetime) -> float:
        """From the left."""
        return LEFT + (at - self._first).total_seconds() / self._span * (WIDTH - LEFT)

    def y(self, value: float) -> float:
        """From below."""
        return BELOW + (value - self._low) / self._reach * self.height


def _unbroken(points: Sequence[Point]) -> list[list[tuple[datetime, float]]]:
    parts: list[list[tuple[datetime, float]]] = [[]]
    for at, value in points:
        if value is None:
            parts.append([])
        else:
            parts[-1].append((at, value))
    return [part for part in parts if len(part) > 1]


def _line(y: float, colour: Color, dash: list[int] | None = None) -> Line:
    line = Line(LEFT, y, WIDTH, y, strokeColor=colour, strokeWidth=0.7)
    if dash:
        line.strokeDashArray = dash
    return line


def _text(x: float, y: float, text: str, anchor: Literal["start", "end"] = "start") -> String:
    return String(x, y, text, fontName=REGULAR, fontSize=SIZE, fillColor=GREY, textAnchor=anchor)
