"""QR codes of labels: what they say, and their squares as rectangles to draw.

Version and mask are fixed, as trying all eight masks is most of the work; level Q survives a
quarter of the label being scratched off.
"""

from __future__ import annotations

from collections.abc import Iterator

from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode

MASK = 2
QUIET = 4
"""Modules left white on each side, as ISO/IEC 18004 asks."""
ROOM = (11, 20, 32, 46, 60, 74, 86, 108, 130, 151)
"""Bytes that fit at level Q into versions 1 to 10 (ISO/IEC 18004, table 7)."""


def label_url(base_url: str, code: str) -> str:
    """Return the address a label's QR code opens."""
    return f"{base_url}/a/{code}"


def modules_of(text: str) -> list[list[bool]]:
    """Return the squares of the QR code of `text`, row by row, True for dark, without margin."""
    size = len(text.encode())
    version = next((v for v, room in enumerate(ROOM, start=1) if size <= room), None)
    code = QRCode(version=version, error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=MASK)
    code.add_data(text, optimize=0)
    code.make(fit=version is None)
    return [[bool(dark) for dark in row] for row in code.modules]


def dark_runs(modules: list[list[bool]]) -> Iterator[tuple[int, int, int]]:
    """Yield (row, column, length) of each horizontal run of dark squares: few rectangles."""
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                yield y, start, x - start
            x += 1


def svg_of(text: str) -> str:
    """Return the QR code of `text` as an SVG picture, margin included."""
    modules = modules_of(text)
    side = len(modules) + 2 * QUIET
    path = "".join(f"M{x + QUIET} {y + QUIET}h{n}v1h-{n}z" for y, x, n in dark_runs(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img"'
        f' shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{path}" fill="#000"/></svg>'
    )
