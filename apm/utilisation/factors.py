"""CO2 factors to choose from: `seed/energy.yaml`, loaded once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from apm.core.i18n import choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml

CATALOGUE = ROOT / "seed" / "energy.yaml"


@dataclass(frozen=True, slots=True)
class Factor:
    """Grams of CO2 a kWh stands for, in which year, and who says so."""

    code: str
    en: str
    zh: str
    g_per_kwh: float
    year: int
    source: str
    to_verify: bool

    @property
    def name(self) -> str:
        """The name in the language spoken now."""
        return choose(self.en, self.zh)


@cache
def factors() -> tuple[Factor, ...]:
    """Return the factors of the catalogue, in its order."""
    return tuple(
        Factor(
            entry["code"], entry["en"], entry["zh"], float(entry["g_per_kwh"]), entry["year"],
            entry["source"], entry["confidence"] != "read",
        )
        for entry in read_yaml(CATALOGUE)["factors"]
    )  # fmt: skip
