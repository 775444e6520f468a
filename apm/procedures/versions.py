"""The versions of a template by name: `draft`, a number, `shipped`."""

from __future__ import annotations

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.typed import whole_number
from apm.procedures import catalogue, queries
from apm.procedures.documents import Document, document_of
from apm.procedures.model import HospitalTemplate


def names_of(own: HospitalTemplate) -> list[str]:
    """Return what may be compared, the newest first."""
    numbers = [str(number) for number in range(own.released, 0, -1)]
    origin = ["shipped"] if own.based_on in catalogue.templates() else []
    return [*(["draft"] if own.draft else []), *numbers, *origin]


def document_named(ctx: Context, own: HospitalTemplate, name: str) -> Document:
    """Return the document of one version, or raise `NotFound`."""
    if name == "draft" and own.draft:
        return own.draft
    if name == "shipped" and own.based_on in catalogue.templates():
        return document_of(catalogue.template(own.based_on or ""))
    number = whole_number(name)
    if number is None:
        raise NotFound(_l("There is no such version. Choose one from the list of versions."))
    return queries.version_of(ctx, own, number).document
