"""What has changed from one version of a template to another."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from apm.procedures.documents import HEAD, Document

STEP_FIELDS = ("en", "zh", "section", "kind", "unit", "at", "at_unit", "tolerance", "source",
               "trust", "mandatory", "photo", "on_fail", "note")  # fmt: skip


class Change(StrEnum):
    """What happened to a step."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value before and after."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class StepChange:
    """What happened to one step; `before` and `after` are the whole step, None where it is not."""

    change: Change
    before: Document | None
    after: Document | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def step(self) -> Document:
        """The step as it is now, or was."""
        return self.after or self.before or {}


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two documents."""

    head: tuple[FieldChange, ...]
    steps: tuple[StepChange, ...]

    def __bool__(self) -> bool:
        return bool(self.head or self.steps)


def difference(old: Document, new: Document) -> Difference:
    """Return what changed from `old` to `new`; steps in the order of `new`, removed ones last."""
    before = {step["id"]: step for step in old["steps"]}
    after = {step["id"]: step for step in new["steps"]}
    stayed = _stayed(list(before), list(after))
    steps = []
    for step_id, step in after.items():
        if step_id not in before:
            steps.append(StepChange(Change.ADDED, None, step))
            continue
        fields = _fields(before[step_id], step, STEP_FIELDS)
        if fields:
            steps.append(StepChange(Change.CHANGED, before[step_id], step, fields))
        elif step_id not in stayed:
            steps.append(StepChange(Change.MOVED, before[step_id], step))
    steps += [
        StepChange(Change.REMOVED, step, None)
        for step_id, step in before.items()
        if step_id not in after
    ]
    return Difference(_fields(old, new, HEAD), tuple(steps))


def _fields(old: Document, new: Document, names: tuple[str, ...]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, old[name], new[name]) for name in names if old[name] != new[name]
    )


def _stayed(old: list[str], new: list[str]) -> set[str]:
    """Return the steps that kept their place beside the others."""
    common = set(old) & set(new)
    first, second = [i for i in old if i in common], [i for i in new if i in common]
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return {first[b.a + i] for b in blocks for i in range(b.size)}
