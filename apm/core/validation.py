"""What forms and JSON bodies are told when a value does not fit, in both languages.

marshmallow speaks English alone.  Its messages are class attributes meant to be replaced, which
is done here once for the whole program: importing this module does it.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from apm.core.i18n import _, _l


class Spoken(str):
    """A message the library fills by `format`, translated at that moment."""

    __slots__ = ()

    def format(self, *args: object, **params: object) -> str:
        """Fill the translation instead of the English."""
        return _(str(self)).format(*args, **params)


INSTANT = Spoken("Give a date and time such as 2026-11-22T08:00:00+08:00.")
DAY = Spoken("Give a date such as 2026-11-22.")
FIELDS: dict[type[fields.Field[Any]], dict[str, str]] = {
    fields.Field: {
        "required": Spoken("Fill this in."),
        "null": Spoken("This may not be empty."),
        "validator_failed": Spoken("This value does not fit."),
    },
    fields.String: {
        "invalid": Spoken("Give a text."),
        "invalid_utf8": Spoken("This text is not valid UTF-8."),
    },
    fields.Number: {
        "invalid": Spoken("Give a number."),
        "too_large": Spoken("This number is too large."),
    },
    fields.Integer: {"invalid": Spoken("Give a whole number.")},
    fields.Float: {"special": Spoken("Give a finite number.")},
    fields.Boolean: {"invalid": Spoken("Give true or false.")},
    fields.DateTime: {"invalid": INSTANT, "invalid_awareness": INSTANT, "format": INSTANT},
    fields.Date: {"invalid": DAY, "format": DAY},
    fields.Enum: {"unknown": Spoken("Choose one of: {choices}.")},
    fields.List: {"invalid": Spoken("Give a list.")},
    fields.Nested: {"type": Spoken("Give an object.")},
}
LENGTHS = {
    "message_min": Spoken("Give at least {min} characters."),
    "message_max": Spoken("Give at most {max} characters."),
    "message_all": Spoken("Give {min} to {max} characters."),
    "message_equal": Spoken("Give exactly {equal} characters."),
}
AT_LEAST = Spoken("Give at least {min}.")
AT_MOST = Spoken("Give at most {max}.")
BETWEEN = Spoken("Give a value from {min} to {max}.")


def _say_range(self: validate.Range, value: object, message: str) -> str:
    """Say the bounds; the library glues its words from pieces that nobody could translate."""
    ours = AT_MOST if self.min is None else AT_LEAST if self.max is None else BETWEEN
    return (self.error or ours).format(input=value, min=self.min, max=self.max)


def _install() -> None:
    for kind, messages in FIELDS.items():
        kind.default_error_messages = {**kind.default_error_messages, **messages}
    for name, message in LENGTHS.items():
        setattr(validate.Length, name, message)
    validate.OneOf.default_message = Spoken("Choose one of: {choices}.")
    validate.Regexp.default_message = Spoken("This value does not have the right form.")
    setattr(validate.Range, "_format_error", _say_range)  # noqa: B010  (not ours to declare)
    Schema._default_error_messages = {  # noqa: SLF001  (the library's own name for it)
        "type": _l("Give an object with named fields."),
        "unknown": _l("There is no such field. Leave it out."),
    }


_install()
