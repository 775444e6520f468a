"""What the law has verified, and the limits of electrical safety: read once from `seed/`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from apm.core.i18n import choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.metrology.model import AppliedPart, Method, ProtectionClass

VERIFICATION = ROOT / "seed" / "verification.yaml"
SAFETY = ROOT / "seed" / "safety.yaml"
RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class Listed:
    """A category on the list of mandatory verification; `months` between two of them."""

    category: str
    months: int
    documents: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class SafetyTest:
    """One measurement of electrical safety, its limit, and for which equipment it is."""

    key: str
    en: str
    zh: str
    unit: str
    rule: str
    limit: float
    classes: tuple[str, ...]
    parts: tuple[str, ...]
    methods: tuple[str, ...]
    is_of_cord: bool
    is_optional: bool
    trust: str

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)

    @property
    def tolerance(self) -> dict[str, Any]:
        """The limit as a step of a work order keeps it."""
        return {"type": self.rule, "limit": self.limit}

    @property
    def to_verify(self) -> bool:
        """Whether the limit is from memory."""
        return self.trust == RECALLED


@cache
def _verification() -> dict[str, Any]:
    plain: dict[str, Any] = read_yaml(VERIFICATION)
    return plain


def _listed(group: str) -> dict[str, Listed]:
    return {
        entry["category"]: Listed(
            entry["category"], entry["months"], tuple(entry["documents"]), entry["source"]
        )
        for entry in _verification()[group]
    }


@cache
def verified_categories() -> dict[str, Listed]:
    """Return the categories that are verified at fixed times, by code."""
    return _listed("verified")


@cache
def doubtful_categories() -> dict[str, Listed]:
    """Return the categories of the old list, about which the local office must be asked."""
    return _listed("ask")


@cache
def _safety() -> dict[str, Any]:
    plain: dict[str, Any] = read_yaml(SAFETY)
    return plain


def safety_version() -> str:
    """Return the version of the limits, kept with each record."""
    return str(_safety()["version"])


def safety_source() -> str:
    """Return where the limits come from."""
    return str(_safety()["title"])


@cache
def safety_tests() -> dict[str, SafetyTest]:
    """Return every test of electrical safety, by key."""
    return {
        entry["key"]: SafetyTest(
            key=entry["key"],
            en=entry["en"],
            zh=entry["zh"],
            unit=entry["unit"],
            rule=entry["rule"],
            limit=entry["limit"],
            classes=tuple(entry.get("classes", ())),
            parts=tuple(entry.get("parts", ())),
            methods=tuple(entry.get("methods", ())),
            is_of_cord=entry.get("cord", False),
            is_optional=entry.get("optional", False),
            trust=entry["trust"],
        )
        for entry in _safety()["tests"]
    }


def fitting_tests(
    protection: ProtectionClass,
    parts: Iterable[AppliedPart | str],
    method: Method,
    *,
    has_cord: bool = True,
) -> list[SafetyTest]:
    """Return what is measured on equipment of this class and applied parts by this method.

    >>> [t.key for t in fitting_tests(ProtectionClass.II, [AppliedPart.CF], Method.ALTERNATIVE)]
    ['es6', 'es7', 'es10']
    """
    types = {str(part) for part in parts}
    return [
        test
        for test in safety_tests().values()
        if (not test.classes or protection.value in test.classes)
        and (not test.methods or method.value in test.methods)
        and (not test.parts or types & set(test.parts))
        and (has_cord or not test.is_of_cord)
    ]
