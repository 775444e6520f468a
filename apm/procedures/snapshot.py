"""A template turned into the steps of one work order, one a set point, frozen from then on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apm.procedures.catalogue import Check, Measurement, Template
from apm.procedures.model import StepKind
from apm.procedures.tolerance import COMPARED

RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class StepFields:
    """The fields of a work order's step, named as its columns are."""

    key: str
    position: int
    section: str
    kind: StepKind
    text: str
    text_zh: str
    unit: str | None = None
    reference: float | None = None
    reference_text: str | None = None
    tolerance: dict[str, Any] | None = None
    source: str | None = None
    to_verify: bool = False
    mandatory: bool = True


def steps_for(template: Template) -> list[StepFields]:
    """Return the steps of `template`, in the order they are done.

    >>> from apm.procedures.catalogue import template
    >>> [s.key for s in steps_for(template("VENT")) if s.key.startswith("vt")]
    ['vt@50', 'vt@100', 'vt@200', 'vt@400', 'vt@600', 'vt@800']
    """
    return list(_numbered(template))


def _numbered(template: Template) -> Iterator[StepFields]:
    position = 0
    for section, steps in (
        ("general", template.general),
        ("safety", template.safety),
        ("function", template.checks),
        ("measurement", template.measurements),
    ):
        for step in steps:
            for made in _made(step, section, position):
                yield made
                position += 1


def _made(step: Check | Measurement, section: str, position: int) -> list[StepFields]:
    if isinstance(step, Check):
        return [StepFields(step.id, position, section, StepKind.CHECK, step.en, step.zh)]
    points: tuple[float | str | None, ...] = step.at or (None,)
    return [_measured(step, section, position + i, at) for i, at in enumerate(points)]


def _measured(
    step: Measurement, section: str, position: int, at: float | str | None
) -> StepFields:
    return StepFields(
        key=step.id if at is None else f"{step.id}@{at}",
        position=position,
        section=section,
        kind=StepKind.MEASURE,
        text=step.en,
        text_zh=step.zh,
        unit=step.unit,
        reference=_aim(step, at),
        reference_text=_set_point(step, at),
        tolerance=step.tolerance,
        source=step.source.title,
        to_verify=step.source.trust == RECALLED,
        mandatory=not step.is_optional,
    )


def _aim(step: Measurement, at: float | str | None) -> float | None:
    """Return the set point where the value is compared with it, else None: a mere condition."""
    is_compared = step.tolerance["type"] in COMPARED
    return float(at) if is_compared and isinstance(at, (int, float)) else None


def _set_point(step: Measurement, at: float | str | None) -> str | None:
    """Return what the device is set to, as one reads it: `400 mL`, `max`."""
    if at is None:
        return None
    if not isinstance(at, (int, float)):
        return f"{at} {step.at_unit}" if step.at_unit else at
    return f"{at} {step.at_unit or step.unit}"
