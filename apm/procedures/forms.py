"""Reading the editor's forms: what was typed becomes a step, a head, or errors by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apm.core.errors import DomainError
from apm.core.http import Form
from apm.procedures.documents import Document
from apm.procedures.editing import checked_step, refused
from apm.procedures.model import StepKind
from apm.procedures.wording import (
    BadWords,
    lines_of,
    part_text,
    points_text,
    read_parts,
    read_points,
    read_tolerance,
    tolerance_words,
)

TEXTS = ("id", "section", "kind", "en", "zh", "on_fail", "note")
OF_A_MEASUREMENT = ("unit", "at_unit", "source", "trust")
FLAGS = ("mandatory", "photo")
LISTS = ("tools", "spares", "metrology", "absorbs")


def step_typed(step: Document) -> dict[str, str]:
    """Return a step as the values of its form."""
    texts = {name: step[name] or "" for name in (*TEXTS, *OF_A_MEASUREMENT)}
    flags = {name: "true" for name in FLAGS if step[name]}
    return {**texts, **flags, "at": points_text(step["at"]), **tolerance_words(step["tolerance"])}


def read_step(typed: Mapping[str, str], step_id: str) -> Document:
    """Return the step a form describes, or raise `Invalid` by the form's fields.

    Fields of the other kind are left: the form shows only those of the kind that is chosen.
    """
    plain: Document = {name: typed.get(name, "") for name in TEXTS}
    plain |= {name: typed.get(name) == "true" for name in FLAGS}
    plain["id"] = step_id
    plain["note"] = plain["note"] or None
    if plain["kind"] == StepKind.MEASURE:
        plain |= {name: typed.get(name) or None for name in OF_A_MEASUREMENT}
        errors: dict[str, Any] = {}
        try:
            plain["at"] = read_points(typed.get("at", ""))
        except BadWords as error:
            errors |= error.errors
        try:
            plain["tolerance"] = (
                read_tolerance(typed, plain["unit"]) if typed.get("rule") else None
            )
        except BadWords as error:
            errors |= error.errors
        if errors:
            raise refused(errors)
    return checked_step(plain)


def head_typed(document: Document) -> dict[str, str]:
    """Return what a template says beside its steps as the values of a form."""
    texts = ("en", "zh", "interval_months", "interval_source", "minutes")
    made = {name: "" if document[name] is None else str(document[name]) for name in texts}
    made |= {name: "\n".join(document[name]) for name in LISTS}
    made["parts"] = "\n".join(part_text(part) for part in document["parts"])
    return made


def read_head(typed: Mapping[str, str]) -> Document:
    """Return what a form says of a template beside its steps, or raise `Invalid`."""
    head: Document = {name: typed.get(name, "") for name in ("en", "zh", "interval_source")}
    head["interval_months"] = _whole(typed.get("interval_months", ""))
    head["minutes"] = _whole(typed.get("minutes", "")) or None
    head |= {name: lines_of(typed.get(name, "")) for name in LISTS}
    try:
        head["parts"] = read_parts(typed.get("parts", ""))
    except BadWords as error:
        raise refused(error.errors) from error
    return head


def _whole(text: str) -> int | str:
    """Return a whole number, or the text as it is: the schema says what is wrong with it."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def refused_form(error: DomainError, typed: Mapping[str, str]) -> Form:
    """Return the form to show again: each error at the field it speaks of, else at its head."""
    errors: dict[str, list[str]] = {}
    for path, messages in error.fields.items():
        name = path.rpartition(".")[2]
        name = "rule" if name in {"type", "tolerance"} else name
        for message in messages:
            text = str(message)
            if text not in errors.setdefault(name, []):
                errors[name].append(text)
    if not errors:
        errors["_schema"] = [str(error)]
    unseen = [text for name, texts in errors.items() if name.isdigit() for text in texts]
    return Form(None, {**errors, "_schema": [*errors.get("_schema", []), *unseen]}, typed)
