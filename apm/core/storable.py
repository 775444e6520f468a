"""What any database can hold: checked before it is sent, so that all of them refuse alike.

SQLite would take a NUL within a text and PostgreSQL would not; neither takes an integer beyond 64
bits or half of a surrogate pair, and each says so in its own way, which would look like a bug.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DontWrapMixin

from apm.core.errors import Invalid
from apm.core.i18n import _l

LARGEST = 2**63 - 1
_UNFIT = re.compile("[\x00\ud800-\udfff]")


class Unstorable(Invalid, DontWrapMixin):
    """A value that no database holds: somebody sent nonsense."""

    code = "unstorable"


def is_storable(value: object) -> bool:
    """Tell whether a text or an integer can be stored; anything else is judged elsewhere."""
    if isinstance(value, str):
        return _UNFIT.search(value) is None
    return not isinstance(value, int) or -LARGEST <= value <= LARGEST


def unstorable() -> Unstorable:
    """Return the refusal."""
    return Unstorable(_l("A value is too large, or holds a character that cannot be stored."))


def refuse_unstorable(
    _connection: Any, _cursor: Any, _statement: str, parameters: Any, *_more: Any
) -> None:
    """Raise `Unstorable` before a statement whose parameters no database takes."""
    rows = parameters if isinstance(parameters, list) else [parameters]
    texts: set[str] = set()
    for row in rows:
        for value in row.values() if isinstance(row, dict) else row:
            kind = type(value)  # most, a thousand rows at a time, are settled without a call
            if kind is int:
                if not -LARGEST <= value <= LARGEST:
                    raise unstorable()
            elif kind is str:
                if value not in texts and not is_storable(value):
                    raise unstorable()
                texts.add(value)
            elif kind is not float and kind is not datetime and not is_storable(value):
                raise unstorable()
