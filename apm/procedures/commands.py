"""What an engineer does with the hospital's own templates before they are released."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from apm.accounts.queries import colleague
from apm.core.command import Context, command
from apm.core.errors import Conflict, Stale
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.procedures import catalogue
from apm.procedures.documents import Document, empty_document, renamed
from apm.procedures.editing import checked, refuse_cycle
from apm.procedures.model import HospitalTemplate
from apm.procedures.queries import (
    own_template,
    own_templates,
    released_versions,
    template_for_writing,
)
from apm.procedures.shelf import content_of

EDIT = Permission.TEMPLATE_EDIT
Change = Callable[[Document], Document]


@command("template.create", EDIT)
def create_template(
    ctx: Context, *, code: str, en: str, zh: str, copy_of: str | None = None
) -> HospitalTemplate:
    """Begin a template of the hospital: as a copy, or empty.

    A copy of a shipped one may keep its code, and then stands in its place once it is released.

    Raises:
        NotFound: there is nothing to copy by that code.
        Conflict: the code is taken.
        Invalid: code or names do not fit.
    """
    if copy_of:
        document = checked(renamed(content_of(ctx, copy_of), code, en, zh))
    else:
        document = checked(empty_document(code, en, zh))
    code = document["code"]
    if own_template(ctx, code) is not None:
        raise Conflict(
            _l("The hospital has a template %(code)s already. Change that one.", code=code),
            code="code_taken",
        )
    if code in catalogue.templates() and (copy_of or "").upper() != code:
        raise Conflict(
            _l("%(code)s is a shipped template. Copy it, or choose another code.", code=code),
            code="code_taken",
        )
    own = HospitalTemplate(code=code, based_on=_origin(ctx, copy_of))
    _put(ctx, own, document)
    ctx.session.add(own)
    ctx.session.flush()
    return own


def _origin(ctx: Context, copy_of: str | None) -> str | None:
    if not copy_of:
        return None
    copied = own_template(ctx, copy_of)
    return copied.based_on if copied else copy_of.upper()


@command("template.begin_draft", EDIT)
def begin_draft(ctx: Context, *, code: str) -> HospitalTemplate:
    """Begin the next version of a template from the one that holds.

    Raises:
        NotFound: no template of the hospital.
        Conflict: somebody has begun already.
    """
    own = template_for_writing(ctx, code)
    if own.draft is not None:
        raise Conflict(_l("There is a draft already. Go on with that one."), code="draft_exists")
    [(_own, version)] = released_versions(ctx, code)
    _put(ctx, own, version.document)
    return own


@command("template.edit", EDIT)
def edit_draft(
    ctx: Context, *, code: str, change: Change, base: int | None = None
) -> HospitalTemplate:
    """Change a draft: `change` makes the new document of the old.

    Raises:
        NotFound: no such template, or no such step.
        Conflict: there is no draft, or somebody changed it since version `base`.
        Invalid: it would not work like this; nothing is changed.
    """
    own = template_for_writing(ctx, code)
    if base is not None and base != own.version:
        raise Stale(_l("Somebody else changed this draft. Reload the page and try again."))
    document = checked(change(draft_of(own)))
    refuse_cycle(own.code, {**_absorbed(ctx), own.code: document["absorbs"]})
    _put(ctx, own, document)
    return own


@command("template.import", EDIT)
def import_documents(ctx: Context, *, documents: Iterable[Document]) -> list[HospitalTemplate]:
    """Take templates of a file as drafts: all of them or none.

    A draft that is there is replaced; what is released stays until the draft is released.

    Raises:
        Invalid: one includes itself by way of others.
    """
    found = [checked(document) for document in documents]
    absorbed = {**_absorbed(ctx), **{d["code"]: d["absorbs"] for d in found}}
    made = []
    for document in found:
        refuse_cycle(document["code"], absorbed)
        made.append(_taken(ctx, document))
    ctx.session.flush()
    return made


def _taken(ctx: Context, document: Document) -> HospitalTemplate:
    code = document["code"]
    own = own_template(ctx, code)
    if own is None:
        own = HospitalTemplate(code=code, based_on=code if code in catalogue.templates() else None)
        ctx.session.add(own)
    _put(ctx, own, document)
    return own


@command("template.discard_draft", EDIT)
def discard_draft(ctx: Context, *, code: str) -> None:
    """Throw a draft away; a template that was never released is gone with it."""
    own = template_for_writing(ctx, code)
    draft_of(own)
    if own.released == 0:
        ctx.session.delete(own)
    else:
        own.draft = own.draft_by = own.draft_at = own.trial = None


@command("template.retire", EDIT)
def retire(ctx: Context, *, code: str) -> HospitalTemplate:
    """Offer a template no longer; where it stood before a shipped one, that one holds again."""
    own = template_for_writing(ctx, code)
    if own.retired_at is not None or own.released == 0:
        raise Conflict(_l("This template is not in use."), code="not_in_use")
    own.retired_at, own.retired_by = ctx.now(), who(ctx)
    return own


@command("template.reinstate", EDIT)
def reinstate(ctx: Context, *, code: str) -> HospitalTemplate:
    """Offer a retired template again."""
    own = template_for_writing(ctx, code)
    if own.retired_at is None:
        raise Conflict(_l("This template is in use already."), code="in_use")
    own.retired_at = own.retired_by = None
    return own


def draft_of(own: HospitalTemplate) -> Document:
    """Return the draft, or raise `Conflict`."""
    if own.draft is None:
        raise Conflict(
            _l("This template has no draft. Begin a new version first."), code="no_draft"
        )
    return own.draft


def _put(ctx: Context, own: HospitalTemplate, document: Document) -> None:
    own.draft = document
    own.draft_by, own.draft_at = who(ctx), ctx.now()


def who(ctx: Context) -> str:
    """Return the name of who acts, as people know it."""
    return colleague(ctx, ctx.actor.user_id).name if ctx.actor.user_id else ctx.actor.name


def _absorbed(ctx: Context) -> dict[str, list[str]]:
    """Return which smaller templates each template includes, drafts as they are now."""
    found = {code: list(t.absorbs) for code, t in catalogue.templates().items()}
    found |= {own.code: v.document["absorbs"] for own, v in released_versions(ctx)}
    return found | {o.code: o.draft["absorbs"] for o in own_templates(ctx) if o.draft}
