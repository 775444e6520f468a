"""Why a device failed: the codes a repair is closed with, from `seed/failure_codes.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from apm.core.errors import Invalid
from apm.core.i18n import _l, choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml

FILE = ROOT / "seed" / "failure_codes.yaml"


@dataclass(frozen=True, slots=True)
class Cause:
    """One code.  `bucket` is what it rolls up to; `is_failure` says whether the rate counts it."""

    code: str
    en: str
    zh: str
    bucket: str
    is_failure: bool
    used_in: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)


@cache
def causes() -> dict[str, Cause]:
    """Return all causes by code."""
    plain = read_yaml(FILE)["causes"]
    return {
        c["code"]: Cause(
            c["code"], c["en"], c["zh"], c["bucket"], c["is_failure"], tuple(c["used_in"])
        )
        for c in plain
    }


def causes_of_repairs() -> list[Cause]:
    """Return the causes a repair may be closed with."""
    return [cause for cause in causes().values() if "CM" in cause.used_in]


def cause(code: str) -> Cause:
    """Return one cause, or raise `Invalid`."""
    found = causes().get(code)
    if found is None:
        message = _l("There is no such cause. Choose one from the list.")
        raise Invalid(message, fields={"cause": [message]})
    return found


def cause_name(code: str) -> str:
    """Return the words of a cause in the language spoken; a code we do not know speaks itself."""
    found = causes().get(code)
    return found.name if found else code
