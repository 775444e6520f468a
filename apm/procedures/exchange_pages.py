"""Templates out to files and back in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.i18n import ngettext
from apm.core.permissions import Permission
from apm.procedures.documents import Document, document_of
from apm.procedures.exchange import import_file
from apm.procedures.files import BadFile
from apm.procedures.queries import own_template
from apm.procedures.sheets import to_xlsx
from apm.procedures.shelf import content_of, has_draft_only, templates_for
from apm.procedures.yaml_files import to_yaml

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
exchange_pages = Blueprint("exchange", __name__)


@exchange_pages.get("/templates/export.<any(yaml, xlsx):kind>")
@requires(Permission.PLAN_READ)
def export_all(kind: str) -> Response:
    """Every template that holds, as written: confirmed limits are the hospital's own."""
    ctx = context()
    documents = [document_of(content_of(ctx, code)) for code in templates_for(ctx)]
    return _file(documents, "templates", kind)


@exchange_pages.get("/templates/<code>/export.<any(yaml, xlsx):kind>")
@requires(Permission.PLAN_READ)
def export_one(code: str, kind: str) -> Response:
    """One template; its draft while there is nothing else."""
    ctx = context()
    own = own_template(ctx, code)
    if own is not None and own.draft and has_draft_only(ctx, code):
        return _file([own.draft], own.code, kind)
    document = document_of(content_of(ctx, code))
    return _file([document], document["code"], kind)


def _file(documents: list[Document], name: str, kind: str) -> Response:
    content = to_xlsx(documents) if kind == "xlsx" else to_yaml(documents)
    answer = Response(content, content_type=XLSX if kind == "xlsx" else "application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer


@exchange_pages.route("/templates/import", methods=["GET", "POST"])
@requires(Permission.TEMPLATE_EDIT)
def import_templates() -> ResponseReturnValue:
    """Take the templates of a file as drafts."""
    if request.method != "POST":
        return render_template("procedures/import.html", flaws=None)
    sent = request.files.get("file")
    try:
        made = import_file(context(), sent.read() if sent else b"")
    except BadFile as error:
        page = render_template(
            "procedures/import.html", flaws=error.flaws, file_name=sent.filename if sent else ""
        )
        return page, 422
    flash(ngettext("%(n)s draft was made.", "%(n)s drafts were made.", len(made)), "success")
    if len(made) == 1:
        return redirect(url_for("procedures.drafts.draft", code=made[0].code), 303)
    return redirect(url_for("procedures.template_list"), 303)
