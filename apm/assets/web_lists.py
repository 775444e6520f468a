"""Pages that handle many assets at once: import, export, label sheets."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from apm.assets.exporting import example_xlsx, export_csv, export_xlsx
from apm.assets.importing import ImportReport, check_import, import_assets
from apm.assets.labels_pdf import FORMATS, label_sheets
from apm.assets.listing import read_listing
from apm.assets.model import AssetState, Availability
from apm.assets.queries import RegisterFilter, assets_by_codes, assets_for_labels
from apm.core.errors import NotFound
from apm.core.http import context, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission

lists = Blueprint("lists", __name__)
MOST_LABELS = 2000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPORTS = {
    "csv": (export_csv, "text/csv; charset=utf-8"),
    "xlsx": (export_xlsx, XLSX),
}


def filter_of(args: MultiDict[str, str]) -> RegisterFilter:
    """Return the filter an address says; values that mean nothing are left out."""
    states = {state.value for state in AssetState}
    uses = {use.value for use in Availability}
    return RegisterFilter(
        q=args.get("q", "").strip()[:200],
        department=tuple(args.getlist("department")),
        location=tuple(args.getlist("location")),
        category=tuple(args.getlist("category")),
        lifecycle=tuple(AssetState(v) for v in args.getlist("lifecycle") if v in states),
        availability=tuple(Availability(v) for v in args.getlist("availability") if v in uses),
    )


@lists.route("/assets/import", methods=["GET", "POST"])
@requires(Permission.ASSET_IMPORT)
def import_page() -> ResponseReturnValue:
    """Upload a list: first checked, then, when nothing is wrong with it, imported."""
    if request.method != "POST":
        return render_template("assets/import.html", report=None, file_name="")
    ctx = context()
    file = request.files.get("file")
    listing = read_listing(file.read() if file else b"")
    name = file.filename or "" if file else ""
    if request.form.get("do") == "import":
        report = import_assets(ctx, listing=listing)
        if not report.problems:
            flash(_summary(report), "success")
            return redirect(url_for("assets.register"), 303)
    else:
        report = check_import(ctx, listing)
    page = render_template("assets/import.html", report=report, file_name=name)
    return page, 422 if report.problems else 200


def _summary(report: ImportReport) -> str:
    return _(
        "%(created)s created, %(updated)s updated, %(unchanged)s unchanged.",
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
    )


@lists.get("/assets/import/example.xlsx")
@requires(Permission.ASSET_IMPORT)
def example() -> Response:
    """A list to start from, with the headers in the reader's language."""
    return _download(example_xlsx(), "assets-example.xlsx", XLSX)


@lists.get("/assets/export.<any(csv, xlsx):kind>")
@requires(Permission.ASSET_IMPORT)
def export(kind: str) -> Response:
    """The whole register as a spreadsheet."""
    make, mimetype = EXPORTS[kind]
    return _download(make(context()), f"assets.{kind}", mimetype)


def _download(content: bytes, name: str, mimetype: str) -> Response:
    answer = Response(content, content_type=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@lists.get("/assets/labels")
@requires(Permission.LABEL_PRINT)
def labels() -> Response:
    """Label sheets of the assets named by `codes`, or of what the register's filter finds."""
    ctx = context()
    codes = [code for text in request.args.getlist("codes") for code in text.split(",")]
    if codes:
        found = assets_by_codes(ctx, codes[:MOST_LABELS])
    else:
        found = assets_for_labels(ctx, filter_of(request.args), most=MOST_LABELS)
    if not found:
        raise NotFound(_l("No assets match. Go back and choose others."))
    sheet = request.args.get("format", "")
    base_url = current_app.config["APM_SETTINGS"].base_url
    pdf = label_sheets(found, base_url=base_url, sheet=sheet if sheet in FORMATS else "a4-3x8")
    return Response(pdf, content_type="application/pdf")
