"""The templates a hospital works by: its own first, then the shipped ones, limits as confirmed."""

from __future__ import annotations

from dataclasses import replace

from apm.core.command import Context
from apm.procedures import catalogue
from apm.procedures.catalogue import Source, Step, Template
from apm.procedures.documents import template_of
from apm.procedures.model import HospitalTemplate, LimitConfirmation, TemplateVersion, Trust
from apm.procedures.queries import Confirmations, confirmations, own_template, released_versions


def templates_for(ctx: Context) -> dict[str, Template]:
    """Return what new work may be done by, by code: two queries, however many there are."""
    signed = confirmations(ctx)
    shelf: dict[str, Template] = {}
    for own, version in released_versions(ctx):
        if own.retired_at is None:
            shelf[own.code] = confirmed(_own(own, version), signed, own.based_on)
    for code, shipped in catalogue.templates().items():
        shelf.setdefault(code, confirmed(shipped, signed))
    return shelf


def template_for(ctx: Context, code: str) -> Template:
    """Return the template that new work by this code is done by, or raise `NotFound`.

    A retired template of the hospital is still found, so that what is planned by it goes on: its
    `is_retired` says so.  Where it stood before a shipped one, that one holds again.
    """
    code = code.upper()
    found = next(iter(released_versions(ctx, code)), None)
    shipped = catalogue.templates().get(code)
    if found is None or (found[0].retired_at is not None and shipped is not None):
        if shipped is None:
            raise catalogue.no_such_template()
        return confirmed(shipped, confirmations(ctx, [code]))
    own, version = found
    return confirmed(_own(own, version), confirmations(ctx, _codes(own)), own.based_on)


def content_of(ctx: Context, code: str) -> Template:
    """Return a template as it is written, without confirmations: to copy, compare or export."""
    found = next(iter(released_versions(ctx, code)), None)
    if found is not None and (found[0].retired_at is None or not _is_shipped(code)):
        return _own(*found)
    return catalogue.template(code)


def has_draft_only(ctx: Context, code: str) -> bool:
    """Tell whether there is nothing by this code but a draft of the hospital."""
    own = own_template(ctx, code)
    return own is not None and own.released == 0 and not _is_shipped(code)


def _is_shipped(code: str) -> bool:
    return code.upper() in catalogue.templates()


def _codes(own: HospitalTemplate) -> list[str]:
    return [own.code, *([own.based_on] if own.based_on else [])]


def _own(own: HospitalTemplate, version: TemplateVersion) -> Template:
    return template_of(
        version.document, version=str(version.number), is_retired=own.retired_at is not None
    )


def confirmed(template: Template, signed: Confirmations, based_on: str | None = None) -> Template:
    """Return the template with the limits that were signed for, of its own or of its origin."""
    codes = [template.code, *([based_on] if based_on else [])]
    steps = tuple(
        _as_signed(step, [signed.get((code, step.id)) for code in codes])
        for step in template.steps
    )
    return replace(template, steps=steps)


def _as_signed(step: Step, signed: list[LimitConfirmation | None]) -> Step:
    """Return the step with its confirmed limit, as long as it still says what was confirmed."""
    for one in signed:
        if one is not None and one.was == step.tolerance and one.unit == step.unit:
            source = Source("", one.source, Trust.CONFIRMED)
            who = f"{one.person}, {one.at:%Y-%m-%d}"
            return replace(step, tolerance=one.tolerance, source=source, confirmed_by=who)
    return step
