"""The pages of templates: what there is, what holds, and what an engineer makes of it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.permissions import Permission
from apm.procedures import catalogue
from apm.procedures.catalogue import Template
from apm.procedures.documents import template_of
from apm.procedures.draft_pages import draft_pages
from apm.procedures.exchange_pages import exchange_pages
from apm.procedures.model import TemplateVersion, Trust
from apm.procedures.queries import (
    confirmations_of,
    own_template,
    own_template_or_404,
    own_templates,
    released_versions,
    version_of,
)
from apm.procedures.shelf import has_draft_only, template_for, templates_for
from apm.procedures.signed_pages import signed_pages
from apm.procedures.snapshot import steps_for
from apm.procedures.version_pages import version_pages
from apm.procedures.words import tool_name, word

web = Blueprint("procedures", __name__)
for _part in (draft_pages, exchange_pages, signed_pages, version_pages):
    web.register_blueprint(_part)
web.add_app_template_global(word, "template_word")
web.add_app_template_filter(tool_name)


@web.get("/templates")
@requires(Permission.PLAN_READ)
def template_list() -> ResponseReturnValue:
    """The hospital's own templates with their drafts, and the shipped ones."""
    ctx = context()
    shelf = templates_for(ctx)
    own = own_templates(ctx)
    content = {one.code: version.document for one, version in released_versions(ctx)}
    standing = {one.code for one in own if one.released and one.retired_at is None}
    shipped = [
        (shelf[code], code in standing, len(steps_for(shelf[code])), unverified(shelf[code]))
        for code in catalogue.templates()
    ]
    return render_template(
        "procedures/list.html",
        own=[(one, one.draft or content[one.code]) for one in own],
        shipped=shipped,
    )


def unverified(template: Template) -> int:
    """Return how many limits of a template are from memory and nobody has confirmed."""
    return sum(s.source is not None and s.source.trust is Trust.RECALLED for s in template.steps)


@web.get("/templates/<code>")
@requires(Permission.PLAN_READ)
def template_page(code: str) -> ResponseReturnValue:
    """The template that holds, section by section."""
    ctx = context()
    if has_draft_only(ctx, code):
        return redirect(url_for("procedures.drafts.draft", code=code), 303)
    return _show(template_for(ctx, code))


@web.get("/templates/<code>/versions/<int:number>")
@requires(Permission.PLAN_READ)
def version_page(code: str, number: int) -> ResponseReturnValue:
    """One released version as it was signed."""
    ctx = context()
    version = version_of(ctx, own_template_or_404(ctx, code), number)
    return _show(template_of(version.document, version=str(number)), version)


def _show(entry: Template, version: TemplateVersion | None = None) -> str:
    ctx = context()
    own = own_template(ctx, entry.code)
    steps = groupby(steps_for(entry), key=lambda step: step.section)
    shown: dict[str, Any] = {
        "entry": entry,
        "own": own,
        "signed_version": version,
        "sections": [(name, list(of)) for name, of in steps],
        "notes": {step.id: step.note for step in entry.steps if step.note},
        "unverified": unverified(entry),
        "names": {code: t.name for code, t in templates_for(ctx).items()},
        "confirmations": [] if version else confirmations_of(ctx, entry.code),
    }
    return render_template("procedures/show.html", **shown)
