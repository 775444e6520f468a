"""What people type into an address, read with care."""

from __future__ import annotations

from urllib.parse import urlsplit

from apm.core.storable import LARGEST


def whole_number(text: str | None) -> int | None:
    """Return the number that `text` is; None for anything else, and for one no row can have.

    >>> whole_number("12"), whole_number("²"), whole_number("9" * 30), whole_number(None)
    (12, None, None, None)
    """
    if not text or not text.isascii() or not text.isdecimal() or len(text) > len(str(LARGEST)):
        return None
    number = int(text)
    return number if number <= LARGEST else None


def own_path(target: str | None, default: str) -> str:
    r"""Return where to go on, if it is a path of ours, else `default`: never another site.

    Browsers take `\` for `/` and drop line breaks, so that `/\elsewhere` leads elsewhere.

    >>> own_path("/assets?q=a", "/"), own_path("//elsewhere", "/"), own_path("/\\elsewhere", "/")
    ('/assets?q=a', '/', '/')
    """
    if not target or not target.startswith("/") or not target.isprintable() or "\\" in target:
        return default
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else target
