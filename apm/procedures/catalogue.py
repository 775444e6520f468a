"""The maintenance templates that come with the program, read once from `seed/templates.yaml`.

What a hospital works by (its own templates first, its confirmed limits) is found by `shelf`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from apm.core.errors import NotFound
from apm.core.i18n import _l, choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.procedures.model import OnFail, Section, StepKind, Trust
from apm.procedures.tolerance import Tolerance, shortest

FILE = ROOT / "seed" / "templates.yaml"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a limit comes from, and how far to trust it."""

    code: str
    title: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class Step:
    """A step: a check, or a measurement in `unit` at each set point of `at` (in `at_unit`)."""

    id: str
    section: Section
    kind: StepKind
    en: str
    zh: str
    unit: str | None = None
    tolerance: dict[str, Any] | None = None
    source: Source | None = None
    at: tuple[float | str, ...] = ()
    at_unit: str | None = None
    note: str | None = None
    is_mandatory: bool = True
    needs_photo: bool = False
    on_fail: OnFail = OnFail.REPAIR
    confirmed_by: str | None = None
    """Who signed for the limit at this hospital."""

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)

    @property
    def limit(self) -> Tolerance | None:
        """The tolerance, checked."""
        return Tolerance.of(self.tolerance) if self.tolerance else None


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
    steps: tuple[Step, ...]
    parts: tuple[Part, ...]
    tools: tuple[str, ...]
    metrology: tuple[str, ...]
    minutes: int | None = None
    """How long it takes, as expected."""
    spares: tuple[str, ...] = ()
    """What to take along."""
    absorbs: tuple[str, ...] = ()
    """Smaller templates that are done with this one."""
    is_own: bool = False
    """A template of the hospital, not one of the shipped."""
    is_retired: bool = False

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)


@cache
def templates() -> dict[str, Template]:
    """Return all shipped templates by code, in the order of the file."""
    plain = read_yaml(FILE)
    sources = {
        code: Source(code, s["title"], Trust(s["trust"])) for code, s in plain["sources"].items()
    }
    return {entry["code"]: _template(entry, plain, sources) for entry in plain["templates"]}


def template(code: str) -> Template:
    """Return one shipped template, or raise `NotFound`."""
    found = templates().get(code.upper())
    if found is None:
        raise no_such_template()
    return found


def no_such_template() -> NotFound:
    """Return the refusal."""
    return NotFound(_l("There is no such template. Choose one from the list of templates."))


def _template(
    entry: dict[str, Any], plain: dict[str, Any], sources: dict[str, Source]
) -> Template:
    protection = entry["protection"]
    steps = (
        *_checks(plain["general"], Section.GENERAL),
        *(
            _measurement(step, Section.SAFETY, sources)
            for step in plain["safety"]
            if _applies(step.get("when", {}), protection)
        ),
        *_checks(entry["checks"], Section.FUNCTION),
        *(_measurement(s, Section.MEASUREMENT, sources) for s in entry["measurements"]),
    )
    return Template(
        code=entry["code"],
        version=plain["version"],
        en=entry["en"],
        zh=entry["zh"],
        interval_months=entry["interval"]["months"],
        interval_source=sources[entry["interval"]["source"]],
        steps=steps,
        parts=tuple(_parts(entry["replace"])),
        tools=tuple(entry["tools"]),
        metrology=tuple(entry["metrology"]["documents"]),
    )


def _applies(when: dict[str, str], protection: dict[str, list[str]]) -> bool:
    """Tell whether an electrical test fits the protection class and the applied part."""
    fits_class = "class" not in when or when["class"] in protection["classes"]
    fits_part = "part" not in when or when["part"] in protection["parts"]
    return fits_class and fits_part


def _checks(steps: list[dict[str, str]], section: Section) -> Iterator[Step]:
    for step in steps:
        yield Step(step["id"], section, StepKind.CHECK, step["en"], step["zh"])


def _parts(entries: list[dict[str, Any]]) -> Iterator[Part]:
    for entry in entries:
        [(unit, every)] = entry["every"].items()
        yield Part(entry["en"], entry["zh"], every, unit)


def _measurement(step: dict[str, Any], section: Section, sources: dict[str, Source]) -> Step:
    return Step(
        id=step["id"],
        section=section,
        kind=StepKind.MEASURE,
        en=step["en"],
        zh=step["zh"],
        unit=step["unit"],
        tolerance={name: shortest(value) for name, value in step["tolerance"].items()},
        source=sources[step["source"]],
        at=tuple(step.get("at", ())),
        at_unit=step.get("at_unit"),
        note=step.get("note"),
        is_mandatory=not step.get("optional", False),
    )
