"""The versions of a template, what changed between two, and whether it is offered."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.procedures import commands, queries
from apm.procedures.difference import difference
from apm.procedures.documents import step_of
from apm.procedures.versions import document_named, names_of
from apm.procedures.words import word

version_pages = Blueprint("versions", __name__)


@version_pages.get("/templates/<code>/versions")
@requires(Permission.PLAN_READ)
def versions(code: str) -> ResponseReturnValue:
    """Every version with who signed it and why; and a choice of two to compare."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    return render_template(
        "procedures/versions.html",
        own=own,
        versions=queries.versions_of(ctx, own),
        names=[(name, version_word(name)) for name in names_of(own)],
    )


@version_pages.get("/templates/<code>/diff")
@requires(Permission.PLAN_READ)
def diff(code: str) -> ResponseReturnValue:
    """What changed from one version to another; `from` and `to` name them."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    names = names_of(own)
    new = request.args.get("to") or names[0]
    old = request.args.get("from") or names[min(1, len(names) - 1)]
    before, after = document_named(ctx, own, old), document_named(ctx, own, new)
    return render_template(
        "procedures/diff.html",
        own=own,
        old=old,
        new=new,
        after=after,
        names=[(name, version_word(name)) for name in names],
        changes=difference(before, after),
        step_of=step_of,
    )


def version_word(name: str) -> str:
    """Return what a version is called."""
    if name in {"draft", "shipped"}:
        return word("version_name", name)
    return _("Version %(n)s", n=name)


@version_pages.post("/templates/<code>/retire")
@requires(Permission.TEMPLATE_EDIT)
def retire(code: str) -> ResponseReturnValue:
    """Offer it no longer."""
    own = commands.retire(context(), code=code)
    flash(_("The template is retired. What is planned by it goes on."), "success")
    return redirect(url_for("procedures.versions.versions", code=own.code), 303)


@version_pages.post("/templates/<code>/reinstate")
@requires(Permission.TEMPLATE_EDIT)
def reinstate(code: str) -> ResponseReturnValue:
    """Offer it again."""
    own = commands.reinstate(context(), code=code)
    flash(_("The template is in use again."), "success")
    return redirect(url_for("procedures.versions.versions", code=own.code), 303)
