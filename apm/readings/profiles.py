"""Usual limits of places: `seed/environment.yaml`, loaded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from apm.core.i18n import choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.readings.model import Sensor

CATALOGUE = ROOT / "seed" / "environment.yaml"


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of place: its usual range for each quantity, and how well that is known."""

    code: str
    en: str
    zh: str
    limits: Mapping[str, tuple[float, float]]
    source: str
    to_verify: bool

    @property
    def name(self) -> str:
        """The name in the language spoken now."""
        return choose(self.en, self.zh)


@cache
def profiles() -> dict[str, Profile]:
    """Return every profile by its code, in the catalogue's order."""
    entries = read_yaml(CATALOGUE)["profiles"]
    return {
        entry["code"]: Profile(
            entry["code"],
            entry["en"],
            entry["zh"],
            {name: (float(low), float(high)) for name, (low, high) in entry["limits"].items()},
            entry["source"],
            entry["confidence"] != "read",
        )
        for entry in entries
    }


def limits_of(sensor: Sensor) -> tuple[float, float] | None:
    """Return the usual range of what a sensor measures where it is, if it is known."""
    profile = profiles().get(sensor.profile or "")
    return profile.limits.get(sensor.quantity) if profile else None
