"""The categories of equipment, and finding one from the words a hospital uses."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from apm.assets.model import Risk
from apm.core.errors import Invalid
from apm.core.i18n import _l, choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml

CATALOGUE = ROOT / "seed" / "categories.yaml"


@dataclass(frozen=True, slots=True)
class Category:
    """One category; `code` is also the template code of its maintenance procedure."""

    code: str
    en: str
    zh: str
    risk: Risk
    aliases: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name in the language spoken now."""
        return choose(self.en, self.zh)


@cache
def _catalogue() -> dict[str, Category]:
    entries = read_yaml(CATALOGUE)["categories"]
    return {
        entry["code"]: Category(
            entry["code"], entry["en"], entry["zh"], Risk(entry["risk"]), tuple(entry["aliases"])
        )
        for entry in entries
    }


def all_categories() -> list[Category]:
    """Return every category, in the catalogue's order."""
    return list(_catalogue().values())


def category(code: str) -> Category:
    """Return a category by its code.

    Raises:
        Invalid: there is none.
    """
    found = _catalogue().get(code)
    if found is None:
        message = _l("There is no such category. Choose one of the list.")
        raise Invalid(message, fields={"category": [message]}, code="unknown_category")
    return found


def find_category(text: str) -> str | None:
    """Return the code for a code, a name or an alias in either language; None if unknown.

    >>> find_category("呼吸机"), find_category("Ventilator"), find_category("vent")
    ('VENT', 'VENT', 'VENT')
    """
    return _words().get(_plain(text))


def nearest_category(text: str) -> Category | None:
    """Return the category whose names come closest to `text`, for a suggestion."""
    close = get_close_matches(_plain(text), list(_words()), n=1, cutoff=0.5)
    return _catalogue()[_words()[close[0]]] if close else None


@cache
def _words() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in _catalogue().values():
        for word in (entry.code, entry.en, entry.zh, *entry.aliases):
            owner = found.setdefault(_plain(word), entry.code)
            if owner != entry.code:
                raise ValueError(f"{word!r} names two categories: {owner} and {entry.code}")
    return found


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())
