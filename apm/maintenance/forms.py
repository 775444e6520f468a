"""Small helps that the forms of maintenance share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apm.core.http import Form


def refused(form: Form, errors: Mapping[str, Sequence[object]]) -> Form:
    """Return the form as it was typed, with what the program said to it."""
    return Form(None, {k: [str(e) for e in v] for k, v in errors.items()}, form.typed)


def blamed(form: Form, error: Exception, field: str = "_schema") -> Form:
    """Return the form with a refusal that names no field of its own."""
    return refused(form, {field: [error]})
