"""Words in one language, or in two beside each other, as the markup of a paragraph."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from apm.core.i18n import choose, speaking
from apm.labels import label

BESIDE, BELOW = " / ", "<br/>"


class Words:
    """Says things in the languages of a report: one, or both for `both`."""

    def __init__(self, language: str) -> None:
        self._languages = ("zh", "en") if language == "both" else (language,)

    def word(self, lazy: object, *, join: str = BESIDE) -> str:
        """Return a text of `_l`."""
        return self.call(lambda _none: lazy, None, join=join)

    def name(self, en: str | None, zh: str | None) -> str:
        """Return a name that is stored in both languages."""
        return self.call(lambda pair: choose(*pair), (en, zh), join=BELOW)

    def label(self, kind: str, value: object) -> str:
        """Return the word for a state or a kind."""
        return self.call(lambda of: label(kind, of), value)

    def call(self, show: Callable[[Any], object], value: Any, *, join: str = BESIDE) -> str:
        """Return what `show` makes of a value in each language."""
        said: list[str] = []
        for language in self._languages:
            with speaking(language):
                text = escape(str(show(value)), quote=False)
            if text not in said:
                said.append(text)
        return join.join(said)
