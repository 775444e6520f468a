"""Changing a draft, one step at a time.  Documents go in and come out; nothing is stored here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import ValidationError

from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.procedures.documents import Document
from apm.procedures.model import Section
from apm.procedures.schema import RANK, DocumentIn, HeadIn, StepIn, flat


def checked(plain: Any) -> Document:
    """Return a document as it is stored, or raise `Invalid` naming each field by its path."""
    try:
        made: Document = DocumentIn().load(plain)
    except ValidationError as error:
        raise refused(error.messages) from error
    return made


def checked_step(plain: Any) -> Document:
    """Return one step as it is stored, or raise `Invalid` naming its fields."""
    try:
        made: Document = StepIn().load(plain)
    except ValidationError as error:
        raise refused(error.messages) from error
    return made


def refused(errors: Any) -> Invalid:
    """Return the refusal that names each field by its path: `steps.3.unit`."""
    fields: dict[str, list[object]] = {}
    for path, text in flat(errors):
        fields.setdefault(".".join(map(str, path)), []).append(text)
    return Invalid(
        _l("The template cannot be used like this. Correct what is named."), fields=fields
    )


def with_head(document: Document, head: Mapping[str, Any]) -> Document:
    """Return the document with another name, interval, tools, spares and so on."""
    try:
        changed = HeadIn(partial=True).load(head)
    except ValidationError as error:
        raise refused(error.messages) from error
    return checked({**document, **changed})


def with_step(document: Document, step: Document, *, instead_of: str | None = None) -> Document:
    """Return the document with one more step at the end of its section, or one exchanged."""
    steps = list(document["steps"])
    if instead_of is None:
        steps.append(step)
    else:
        steps[_position(document, instead_of)] = step
    return checked({**document, "steps": steps})


def without_step(document: Document, step_id: str) -> Document:
    """Return the document without one step."""
    position = _position(document, step_id)
    return {**document, "steps": [s for i, s in enumerate(document["steps"]) if i != position]}


def moved(document: Document, step_id: str, *, up: bool) -> Document:
    """Return the document with a step one place up or down in its section; at its end, nothing."""
    steps = list(document["steps"])
    here = _position(document, step_id)
    there = here - 1 if up else here + 1
    if 0 <= there < len(steps) and steps[there]["section"] == steps[here]["section"]:
        steps[here], steps[there] = steps[there], steps[here]
    return {**document, "steps": steps}


def step_in(document: Document, step_id: str) -> Document:
    """Return one step, or raise `NotFound`."""
    found: Document = document["steps"][_position(document, step_id)]
    return found


def next_id(document: Document) -> str:
    """Return a step id that is still free: `s1`, `s2`, ..."""
    taken = {step["id"].casefold() for step in document["steps"]}
    return next(f"s{n}" for n in range(1, len(taken) + 2) if f"s{n}" not in taken)


def by_section(document: Document) -> list[tuple[str, list[Document]]]:
    """Return the steps by section, empty sections too."""
    names = sorted((s.value for s in Section), key=lambda name: RANK[Section(name)])
    return [(n, [s for s in document["steps"] if s["section"] == n]) for n in names]


def _position(document: Document, step_id: str) -> int:
    for position, step in enumerate(document["steps"]):
        if step["id"] == step_id:
            return position
    raise NotFound(_l("This template has no such step. Reload the page."))


def refuse_cycle(code: str, absorbs: Mapping[str, Iterable[str]]) -> None:
    """Raise `Invalid` when `code` includes itself by way of others, or one that is not there.

    `absorbs` names for every template that there is, the drafts in question included, the smaller
    ones done with it.
    """
    way = _way_back(code, absorbs)
    if way:
        says = _l(
            "Templates include each other in a circle: %(way)s. Take one of them out.",
            way=" → ".join(way),
        )
        raise Invalid(says, fields={"absorbs": [says]}, code="cycle")
    for other in absorbs.get(code, ()):
        if other not in absorbs:
            says = _l("There is no template %(code)s to be included.", code=other)
            raise Invalid(says, fields={"absorbs": [says]}, code="unknown_template")


def _way_back(code: str, absorbs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a way from `code` back to itself; empty if there is none."""
    seen: set[str] = set()
    waiting: list[tuple[str, tuple[str, ...]]] = [(code, (code,))]
    while waiting:
        here, gone = waiting.pop()
        for other in absorbs.get(here, ()):
            if other == code:
                return (*gone, other)
            if other not in seen:
                seen.add(other)
                waiting.append((other, (*gone, other)))
    return ()
