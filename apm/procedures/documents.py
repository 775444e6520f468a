"""A template as a plain document: what is edited, stored, compared, imported and exported.

All keys are always there, so that two documents that mean the same are equal.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from apm.procedures.catalogue import Part, Source, Step, Template
from apm.procedures.model import OnFail, Section, StepKind, Trust

Document = dict[str, Any]
HEAD = ("en", "zh", "interval_months", "interval_source", "minutes", "tools", "spares",
        "metrology", "absorbs", "parts")  # fmt: skip
MEASURED = ("unit", "at", "at_unit", "tolerance", "source", "trust")
"""What only a measurement has."""


def document_of(template: Template) -> Document:
    """Return a template as a document."""
    return {
        "code": template.code,
        "en": template.en,
        "zh": template.zh,
        "interval_months": template.interval_months,
        "interval_source": template.interval_source.title,
        "minutes": template.minutes,
        "tools": list(template.tools),
        "spares": list(template.spares),
        "metrology": list(template.metrology),
        "absorbs": list(template.absorbs),
        "parts": [
            {"en": p.en, "zh": p.zh, "every": p.every, "unit": p.unit} for p in template.parts
        ],
        "steps": [_step_document(step) for step in template.steps],
    }


def empty_document(code: str, en: str, zh: str) -> Document:
    """Return a document without steps."""
    source = Source("", "", Trust.POLICY)
    return document_of(Template(code, "0", en, zh, 12, source, (), (), (), ()))


def _step_document(step: Step) -> Document:
    source = step.source
    return {
        "id": step.id,
        "section": step.section.value,
        "kind": step.kind.value,
        "en": step.en,
        "zh": step.zh,
        "mandatory": step.is_mandatory,
        "photo": step.needs_photo,
        "on_fail": step.on_fail.value,
        "note": step.note,
        "unit": step.unit,
        "at": list(step.at) or None,
        "at_unit": step.at_unit,
        "tolerance": step.tolerance,
        "source": source.title if source else None,
        "trust": source.trust.value if source else None,
    }


def template_of(document: Document, *, version: str, is_retired: bool = False) -> Template:
    """Return the template that a checked document describes."""
    return Template(
        code=document["code"],
        version=version,
        en=document["en"],
        zh=document["zh"],
        interval_months=document["interval_months"],
        interval_source=Source("", document["interval_source"], Trust.POLICY),
        steps=tuple(step_of(step) for step in document["steps"]),
        parts=tuple(Part(p["en"], p["zh"], p["every"], p["unit"]) for p in document["parts"]),
        tools=tuple(document["tools"]),
        metrology=tuple(document["metrology"]),
        minutes=document["minutes"],
        spares=tuple(document["spares"]),
        absorbs=tuple(document["absorbs"]),
        is_own=True,
        is_retired=is_retired,
    )


def step_of(plain: Document) -> Step:
    """Return one step of a checked document."""
    source = Source("", plain["source"], Trust(plain["trust"])) if plain["source"] else None
    return Step(
        id=plain["id"],
        section=Section(plain["section"]),
        kind=StepKind(plain["kind"]),
        en=plain["en"],
        zh=plain["zh"],
        unit=plain["unit"],
        tolerance=plain["tolerance"],
        source=source,
        at=tuple(plain["at"] or ()),
        at_unit=plain["at_unit"],
        note=plain["note"],
        is_mandatory=plain["mandatory"],
        needs_photo=plain["photo"],
        on_fail=OnFail(plain["on_fail"]),
    )


def renamed(template: Template, code: str, en: str, zh: str) -> Document:
    """Return a copy of a template under another code and name."""
    return document_of(replace(template, code=code, en=en, zh=zh))


def digest(content: object) -> str:
    """Return the SHA-256 (hex) of plain content, however its keys are ordered."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
