"""Which equipment a notice is about: maker, models, lots and serial numbers as they are typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

from apm.core.natural import natural

BETWEEN = re.compile(r"[,;\n，、；]")


@dataclass(frozen=True, slots=True)
class Scope:
    """Maker and models ("" for all), and the first and last lot and serial number; None: open.

    >>> scope = Scope("Mindray", "SV300, SV600", serial=("SN0100", "SN0199"))
    >>> scope.is_of("MINDRAY ", "sv600")
    True
    >>> scope.holds(None, "SN0150"), scope.holds(None, "SN0200"), scope.holds(None, None)
    (True, False, True)
    """

    manufacturer: str
    models: str = ""
    lot: tuple[str | None, str | None] = (None, None)
    serial: tuple[str | None, str | None] = (None, None)

    def is_of(self, manufacturer: str | None, model: str | None) -> bool:
        """Tell whether it is about this maker's model; capitals, spaces and widths do not count.

        Where the notice names models, equipment without one on record may be one of them.
        """
        if plain(manufacturer) != plain(self.manufacturer):
            return False
        named = {plain(one) for one in BETWEEN.split(self.models)} - {""}
        return not named or not plain(model) or plain(model) in named

    def holds(self, lot: str | None, serial: str | None) -> bool:
        """Tell whether lot and serial number are inside, or not known: then somebody must look."""
        return _is_between(lot, self.lot) and _is_between(serial, self.serial)

    def is_unsure(self, model: str | None, lot: str | None, serial: str | None) -> bool:
        """Tell whether something that decides is not on record."""
        asked = ((model, bool(self.models)), (lot, any(self.lot)), (serial, any(self.serial)))
        return any(is_asked and not plain(value) for value, is_asked in asked)


def plain(text: str | None) -> str:
    """Return what of a name counts.

    >>> plain(" ＳＶ 300 ")
    'sv300'
    """
    return "".join(normalize("NFKC", text or "").casefold().split())


def _is_between(value: str | None, ends: tuple[str | None, str | None]) -> bool:
    if not plain(value):
        return True
    low, high = (natural(plain(end)) if plain(end) else None for end in ends)
    here = natural(plain(value))
    return (low is None or low <= here) and (high is None or here <= high)
