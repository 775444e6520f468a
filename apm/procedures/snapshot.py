"""A template turned into the steps of one work order, one a set point, frozen from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apm.procedures.catalogue import Step, Template
from apm.procedures.model import StepKind, Trust
from apm.procedures.tolerance import COMPARED


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
    confirmed_by: str | None = None
    """Who signed for this limit at this hospital, before the order was made."""
    needs_photo: bool = False
    on_fail: str = "repair"


def steps_for(template: Template) -> list[StepFields]:
    """Return the steps of `template`, in the order they are done.

    >>> from apm.procedures.catalogue import template
    >>> [s.key for s in steps_for(template("VENT")) if s.key.startswith("vt")]
    ['vt@50', 'vt@100', 'vt@200', 'vt@400', 'vt@600', 'vt@800']
    """
    made: list[StepFields] = []
    for step in template.steps:
        points: tuple[float | str | None, ...] = step.at or (None,)
        made += [_made(step, at, len(made) + i) for i, at in enumerate(points)]
    return made


def _made(step: Step, at: float | str | None, position: int) -> StepFields:
    return StepFields(
        key=step.id if at is None else f"{step.id}@{at}",
        position=position,
        section=step.section.value,
        kind=step.kind,
        text=step.en,
        text_zh=step.zh,
        unit=step.unit,
        reference=_aim(step, at),
        reference_text=_set_point(step, at),
        tolerance=step.tolerance,
        source=step.source.title if step.source else None,
        to_verify=step.source is not None and step.source.trust is Trust.RECALLED,
        mandatory=step.is_mandatory,
        confirmed_by=step.confirmed_by,
        needs_photo=step.needs_photo,
        on_fail=step.on_fail.value,
    )


def _aim(step: Step, at: float | str | None) -> float | None:
    """Return the set point where the value is compared with it, else None: a mere condition."""
    is_compared = step.tolerance is not None and step.tolerance["type"] in COMPARED
    return float(at) if is_compared and isinstance(at, (int, float)) else None


def _set_point(step: Step, at: float | str | None) -> str | None:
    """Return what the device is set to, as one reads it: `400 mL`, `max`."""
    if at is None:
        return None
    if not isinstance(at, (int, float)):
        return f"{at} {step.at_unit}" if step.at_unit else at
    return f"{at} {step.at_unit or step.unit}"
