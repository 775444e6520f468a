"""What ships with the program: how long equipment is kept, and how devices' codes are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from apm.assets.model import Asset
from apm.attribution.model import CodeClass
from apm.core.i18n import choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml

FILE = ROOT / "seed" / "attribution.yaml"
ANY = "*"
USUAL_YEARS = 6


@dataclass(frozen=True, slots=True)
class LogCode:
    """One code of a device's log; `maker` and `model` may be `*`."""

    maker: str
    model: str
    code: str
    code_class: CodeClass
    en: str
    zh: str

    @property
    def name(self) -> str:
        """What it means, in the language spoken."""
        return choose(self.en, self.zh)

    def fits(self, asset: Asset) -> bool:
        """Tell whether it is a code of this equipment."""
        pairs = ((self.maker, asset.manufacturer), (self.model, asset.model))
        return all(ours in (ANY, theirs) for ours, theirs in pairs)


@cache
def _plain() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(FILE)
    return found


def life_years(category: str) -> int:
    """Return how many years equipment of a category is usually kept."""
    return int(_plain()["life_years"]["years"].get(category, USUAL_YEARS))


def life_is_to_verify() -> bool:
    """Tell whether these years are from memory."""
    return str(_plain()["life_years"]["trust"]) != "read"


@cache
def log_codes() -> tuple[LogCode, ...]:
    """Return the list of codes, those of a certain model before those of any."""
    made = (
        LogCode(e["maker"], e["model"], e["code"], CodeClass(e["class"]), e["en"], e["zh"])
        for e in _plain()["codes"]
    )
    return tuple(sorted(made, key=lambda one: (one.model == ANY, one.maker == ANY)))


def code_of(asset: Asset, code: str) -> LogCode | None:
    """Return what the list says of a code of this equipment."""
    wanted = code.strip().upper()
    return next((c for c in log_codes() if c.code.upper() == wanted and c.fits(asset)), None)
