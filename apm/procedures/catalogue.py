"""The maintenance templates, read once from `seed/templates.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from apm.core.errors import NotFound
from apm.core.i18n import _l, choose
from apm.core.settings import ROOT
from apm.procedures.tolerance import Tolerance

FILE = ROOT / "seed" / "templates.yaml"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a limit comes from, and how far to trust it: `seen`, `recalled` or `policy`."""

    code: str
    title: str
    trust: str


@dataclass(frozen=True, slots=True)
class Check:
    """A step answered pass, fail or not applicable."""

    id: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """A step answered with a number in `unit`, at each set point of `at` (in `at_unit`)."""

    id: str
    en: str
    zh: str
    unit: str
    tolerance: dict[str, Any]
    source: Source
    at: tuple[float | str, ...]
    at_unit: str | None
    note: str | None
    is_optional: bool
    needs_class: str | None = None
    needs_part: str | None = None

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)

    @property
    def limit(self) -> Tolerance:
        """The tolerance, checked."""
        return Tolerance.of(self.tolerance)


@dataclass(frozen=True, slots=True)
class Part:
    """What is replaced or serviced after a time or a number of hours."""

    en: str
    zh: str
    every: int
    unit: str

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)


@dataclass(frozen=True, slots=True)
class Template:
    """What is done at the maintenance of one category of equipment."""

    code: str
    version: str
    en: str
    zh: str
    interval_months: int
    interval_source: Source
    general: tuple[Check, ...]
    safety: tuple[Measurement, ...]
    checks: tuple[Check, ...]
    measurements: tuple[Measurement, ...]
    parts: tuple[Part, ...]
    tools: tuple[str, ...]
    metrology: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)


@cache
def templates() -> dict[str, Template]:
    """Return all templates by code, in the order of the file."""
    plain = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    sources = {code: Source(code, s["title"], s["trust"]) for code, s in plain["sources"].items()}
    return {entry["code"]: _template(entry, plain, sources) for entry in plain["templates"]}


def template(code: str) -> Template:
    """Return one template, or raise `NotFound`."""
    found = templates().get(code.upper())
    if found is None:
        raise NotFound(_l("There is no such template. Choose one from the list of templates."))
    return found


def _template(
    entry: dict[str, Any], plain: dict[str, Any], sources: dict[str, Source]
) -> Template:
    protection = entry["protection"]
    safety = [_measurement(step, sources) for step in plain["safety"]]
    return Template(
        code=entry["code"],
        version=plain["version"],
        en=entry["en"],
        zh=entry["zh"],
        interval_months=entry["interval"]["months"],
        interval_source=sources[entry["interval"]["source"]],
        general=tuple(_checks(plain["general"])),
        safety=tuple(step for step in safety if _applies(step, protection)),
        checks=tuple(_checks(entry["checks"])),
        measurements=tuple(_measurement(step, sources) for step in entry["measurements"]),
        parts=tuple(_parts(entry["replace"])),
        tools=tuple(entry["tools"]),
        metrology=tuple(entry["metrology"]["documents"]),
    )


def _applies(step: Measurement, protection: dict[str, list[str]]) -> bool:
    """Tell whether an electrical test fits the protection class and the applied part."""
    fits_class = step.needs_class is None or step.needs_class in protection["classes"]
    fits_part = step.needs_part is None or step.needs_part in protection["parts"]
    return fits_class and fits_part


def _checks(steps: list[dict[str, str]]) -> Iterator[Check]:
    for step in steps:
        yield Check(step["id"], step["en"], step["zh"])


def _parts(entries: list[dict[str, Any]]) -> Iterator[Part]:
    for entry in entries:
        [(unit, every)] = entry["every"].items()
        yield Part(entry["en"], entry["zh"], every, unit)


def _measurement(step: dict[str, Any], sources: dict[str, Source]) -> Measurement:
    when = step.get("when", {})
    return Measurement(
        id=step["id"],
        en=step["en"],
        zh=step["zh"],
        unit=step["unit"],
        tolerance=step["tolerance"],
        source=sources[step["source"]],
        at=tuple(step.get("at", ())),
        at_unit=step.get("at_unit"),
        note=step.get("note"),
        is_optional=step.get("optional", False),
        needs_class=when.get("class"),
        needs_part=when.get("part"),
    )
