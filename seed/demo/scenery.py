"""What the YAML files beside this one say, as values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from apm.core.shipped import read_yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Kind:
    """How one category was bought, fails and is maintained; see `fleet.yaml` for the units."""

    code: str
    models: tuple[tuple[str, str, float], ...]
    price: tuple[int, int]
    rate: float
    wear: float
    peak_month: int
    season: float
    months: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks, and what is done about it; see `faults.yaml` for the units."""

    weight: int
    symptom: str
    cause: str
    text: str
    text_zh: str
    remedy: str
    remedy_zh: str
    minutes: tuple[int, int]
    parts: tuple[int, int] | None
    vendor: tuple[int, int] | None
    days: tuple[int, int] | None
    not_on: frozenset[str] = frozenset()
    stands_in: bool = False


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(HERE / name)
    return found


@cache
def hospital() -> dict[str, Any]:
    """Return people, departments, rooms and sensors as `hospital.yaml` has them."""
    return _read("hospital.yaml")


@cache
def kinds() -> dict[str, Kind]:
    """Return every kind of equipment by category code."""
    return {code: _kind(code, entry) for code, entry in _read("fleet.yaml").items()}


def _kind(code: str, entry: dict[str, Any]) -> Kind:
    models = tuple((m[0], str(m[1]), float(m[2]) if len(m) > 2 else 1.0) for m in entry["models"])
    (low, high), (month, season) = entry["price"], entry["season"]
    return Kind(
        code,
        models,
        (low, high),
        entry["rate"],
        entry["wear"],
        month,
        season,
        entry.get("months"),
    )


@cache
def faults(category: str) -> tuple[Fault, ...]:
    """Return what breaks on equipment of a category, the general faults included."""
    plain = _read("faults.yaml")
    found = (_fault(entry) for entry in [*plain.get(category, []), *plain["general"]])
    return tuple(fault for fault in found if not fault.stands_in)


@cache
def stand_ins(category: str) -> tuple[Fault, ...]:
    """Return what breaks instead of a general fault that the category does not have."""
    found = tuple(_fault(entry) for entry in _read("faults.yaml").get(category, []))
    return tuple(fault for fault in found if fault.stands_in) or found


def _fault(entry: dict[str, Any]) -> Fault:
    def span(name: str) -> tuple[int, int] | None:
        return (entry[name][0], entry[name][1]) if name in entry else None

    return Fault(
        weight=entry["weight"],
        symptom=entry.get("symptom", "other"),
        cause=entry["cause"],
        text=entry["en"],
        text_zh=entry["zh"],
        remedy=entry["remedy"],
        remedy_zh=entry["remedy_zh"],
        minutes=(entry["minutes"][0], entry["minutes"][1]),
        parts=span("parts"),
        vendor=span("vendor"),
        days=span("days"),
        not_on=frozenset(entry.get("not", ())),
        stands_in=entry.get("stands_in", False),
    )
