"""Two languages: English in the code, Chinese in `apm/translations/zh`.

`_` translates now, `_l` when the text is shown.  Both work in a page, in the worker and on the
command line; outside a request the language is that of `speaking` or the setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations

LANGUAGES = ("en", "zh")
CATALOGUES = Path(__file__).parent.parent / "translations"
_language: ContextVar[str] = ContextVar("language", default="en")


def language() -> str:
    """Return the language spoken now: `en` or `zh`."""
    return _language.get()


def speak(code: str) -> None:
    """Speak `code` from now on in this context (a request, a job, a command)."""
    _language.set(code if code in LANGUAGES else "en")


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak `code` within the block."""
    token = _language.set(code if code in LANGUAGES else "en")
    try:
        yield
    finally:
        _language.reset(token)


def choose(en: str | None, zh: str | None) -> str:
    """Return the name in the language spoken, or the other when there is none."""
    first, second = (zh, en) if language() == "zh" else (en, zh)
    return first or second or ""


@cache
def catalogue(code: str) -> NullTranslations:
    """Return the messages of one language, compiled from its .po file in memory."""
    path = CATALOGUES / code / "LC_MESSAGES" / "messages.po"
    if code == "en" or not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return Translations(compiled)


def _(message: str, **params: object) -> str:
    """Return `message` in the language spoken, its `%(name)s` places filled."""
    text = catalogue(language()).ugettext(message)
    return text % params if params else text


def ngettext(one: str, many: str, n: int, **params: object) -> str:
    """Return the form for `n` things; `%(n)s` is filled with it."""
    return catalogue(language()).ungettext(one, many, n) % {"n": n, **params}


def _l(message: str, **params: object) -> Any:
    """Return a text that is translated when it is shown."""
    return LazyProxy(_, message, enable_cache=False, **params)
