"""Templates as JSON: what holds, drafts as whole documents, versions, and signed limits."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, url_for

from apm.core.errors import Invalid
from apm.core.http import check_version, context, requires
from apm.core.i18n import _l
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.procedures import commands, queries, releasing, trial
from apm.procedures.api_schema import (
    ConfirmationIn,
    ConfirmationOut,
    ConfirmationPage,
    DiffOut,
    DiffQuery,
    DraftOut,
    NewTemplateIn,
    ReleaseIn,
    TemplateListQuery,
    TemplateOut,
    TemplatePage,
    TrialIn,
    TrialOut,
    VersionOut,
    VersionPage,
    WholeVersionOut,
)
from apm.procedures.catalogue import Template
from apm.procedures.difference import difference
from apm.procedures.model import HospitalTemplate, LimitConfirmation, TemplateVersion
from apm.procedures.schema import DocumentIn
from apm.procedures.shelf import template_for, templates_for
from apm.procedures.versions import document_named, names_of

EDIT, READ = Permission.TEMPLATE_EDIT, Permission.PLAN_READ
api = Blueprint("procedures_api", __name__, url_prefix="/api/v1", description="Templates.")


@api.get("/templates")
@api.arguments(TemplateListQuery, location="query")
@api.response(200, TemplatePage)
@requires(READ)
def list_templates(wanted: dict[str, Any]) -> dict[str, Any]:
    """Templates with their steps: the hospital's own first, then the shipped ones."""
    shelf = templates_for(context())
    codes = list(shelf)
    start = codes.index(wanted["after"]) + 1 if wanted["after"] in codes else 0
    shown = codes[start : start + wanted["limit"]]
    has_more = start + len(shown) < len(codes)
    return {"items": [shelf[code] for code in shown], "next": shown[-1] if has_more else None}


@api.post("/templates")
@api.arguments(NewTemplateIn)
@api.response(201, DraftOut)
@requires(EDIT)
def create_template(values: dict[str, Any]) -> Response:
    """Begin a template of the hospital, as a draft."""
    answer = _draft(commands.create_template(context(), **values))
    answer.status_code = 201
    return answer


@api.get("/templates/<code>")
@api.response(200, TemplateOut)
@requires(READ)
def one_template(code: str) -> Template:
    """One template with its steps."""
    return template_for(context(), code)


@api.get("/templates/<code>/draft")
@api.response(200, DraftOut)
@requires(EDIT)
def show_draft(code: str) -> Response:
    """The draft, as a document that `PUT` takes back."""
    own = queries.own_template_or_404(context(), code)
    commands.draft_of(own)
    return _draft(own)


@api.put("/templates/<code>/draft")
@api.arguments(DocumentIn)
@api.response(200, DraftOut)
@requires(EDIT)
def put_draft(document: dict[str, Any], code: str) -> Response:
    """Put a whole document in the place of the draft; `If-Match` guards a change in between."""
    ctx = context()
    if document["code"] != code.upper():
        says = _l("The code must be the one of the address.")
        raise Invalid(says, fields={"code": [says]})
    own = queries.own_template(ctx, code)
    if own is not None:
        check_version(own.version)
    [made] = commands.import_documents(ctx, documents=[document])
    return _draft(made)


@api.delete("/templates/<code>/draft")
@api.response(204)
@requires(EDIT)
def discard_draft(code: str) -> None:
    """Throw the draft away."""
    commands.discard_draft(context(), code=code)


@api.post("/templates/<code>/draft/try")
@api.arguments(TrialIn)
@api.response(200, TrialOut)
@requires(EDIT)
def try_draft(sent: dict[str, Any], code: str) -> trial.Tried:
    """Judge answers by the draft; no equipment is touched.  Releasing asks for a test run."""
    return trial.try_draft(context(), code=code, answers=sent["answers"])


@api.post("/templates/<code>/release")
@api.arguments(ReleaseIn)
@api.response(201, VersionOut)
@requires(EDIT)
def release(sent: dict[str, Any], code: str) -> TemplateVersion:
    """Sign the draft as the next version.  Only a person can: with their password."""
    return releasing.release(context(), code=code, **sent)


@api.post("/templates/<code>/retire")
@api.response(200, DraftOut)
@requires(EDIT)
def retire(code: str) -> Response:
    """Offer the template no longer; what is planned by it goes on."""
    return _draft(commands.retire(context(), code=code))


@api.post("/templates/<code>/reinstate")
@api.response(200, DraftOut)
@requires(EDIT)
def reinstate(code: str) -> Response:
    """Offer a retired template again."""
    return _draft(commands.reinstate(context(), code=code))


@api.get("/templates/<code>/versions")
@api.response(200, VersionPage)
@requires(READ)
def list_versions(code: str) -> dict[str, Any]:
    """The released versions of a template of the hospital, the newest first."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    return {"items": queries.versions_of(ctx, own), "next": None}


@api.get("/templates/<code>/versions/<int:number>")
@api.response(200, WholeVersionOut)
@requires(READ)
def show_version(code: str, number: int) -> TemplateVersion:
    """One released version with its document."""
    ctx = context()
    return queries.version_of(ctx, queries.own_template_or_404(ctx, code), number)


@api.get("/templates/<code>/diff")
@api.arguments(DiffQuery, location="query")
@api.response(200, DiffOut)
@requires(READ)
def diff(wanted: dict[str, Any], code: str) -> dict[str, Any]:
    """What changed between two versions; by default from the last but one to the last."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    names = names_of(own)
    new = wanted["new"] or names[0]
    old = wanted["old"] or names[min(1, len(names) - 1)]
    found = difference(document_named(ctx, own, old), document_named(ctx, own, new))
    return {"old": old, "new": new, "head": found.head, "steps": found.steps}


@api.get("/templates/<code>/confirmations")
@api.response(200, ConfirmationPage)
@requires(READ)
def list_confirmations(code: str) -> dict[str, Any]:
    """Every signature under a limit of this template, the newest first."""
    ctx = context()
    found = template_for(ctx, code)
    return {"items": queries.confirmations_of(ctx, found.code), "next": None}


@api.post("/templates/<code>/confirmations")
@api.arguments(ConfirmationIn)
@api.response(201, ConfirmationOut(many=True))
@requires(EDIT)
def confirm(sent: dict[str, Any], code: str) -> list[LimitConfirmation]:
    """Sign that a limit holds at this hospital.  Only a person can: with their password."""
    password = sent.pop("password")
    said = releasing.Confirmed(**sent)
    return releasing.confirm_limit(context(), code=code, said=said, password=password)


def _draft(own: HospitalTemplate) -> Response:
    answer = jsonify(DraftOut().dump(own))
    answer.set_etag(str(own.version))
    answer.headers["Location"] = url_for("procedures_api.one_template", code=own.code)
    return answer
