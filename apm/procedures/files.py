"""What a file of templates may be told, whether YAML or a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_BYTES = 4 * 1024 * 1024
MOST_FLAWS = 200


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong: the sheet (empty: a text file), its row or line, the column."""

    sheet: str
    row: int
    column: str
    message: object
    """What is wrong and what to do."""


class BadFile(Exception):
    """A file that was not taken; nothing of it was stored."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(f"{len(flaws)} flaws")
        self.flaws = list(flaws)[:MOST_FLAWS]
