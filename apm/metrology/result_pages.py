"""The page that reads the result files of test instruments."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import DomainError
from apm.core.http import Form, context, requires
from apm.core.i18n import _, ngettext
from apm.core.permissions import Permission
from apm.metrology import profiles, result_storing
from apm.metrology.catalogue import safety_tests
from apm.metrology.result_reading import Results
from apm.metrology.tables import plain

EDIT = Permission.METROLOGY_EDIT
result_pages = Blueprint("results", __name__)
LONGEST = 120


@result_pages.route("/metrology/results", methods=["GET", "POST"])
@requires(EDIT)
def import_page() -> ResponseReturnValue:
    """Upload a file: first checked, then stored in work orders."""
    if request.method != "POST":
        return _page()
    file = request.files.get("file")
    data, name = (file.read(), file.filename or "") if file else (b"", "")
    profile = request.form.get("profile", "")
    ctx = context()
    try:
        if request.form.get("do") != "import":
            results = result_storing.check_file(ctx, data=data, profile=profile)
            return _page(results=results, name=name, status=422 if results.problems else 200)
        leave_out = request.form.get("leave_out") == "true"
        stored = result_storing.import_file(
            ctx, data=data, name=name, profile=profile, leave_out=leave_out
        )
    except DomainError as error:
        return _page(form=_refused(error), name=name, status=error.status)
    if stored.file is None:
        status = 422 if stored.results.problems else 200
        return _page(results=stored.results, name=name, status=status)
    flash(
        ngettext(
            "One result is stored in %(orders)s.",
            "%(n)s results are stored in %(orders)s.",
            stored.file.stored,
            orders=", ".join(stored.orders[:5]),
        ),
        "success",
    )
    return redirect(url_for("metrology.results.import_page"), 303)


@result_pages.post("/metrology/results/profiles")
@requires(EDIT)
def save_profile() -> ResponseReturnValue:
    """Keep how one maker's files are read."""
    typed = request.form
    form = Form(None, _mistakes(), typed)
    if form.errors:
        return _page(profile_form=form, status=422)
    columns = {field: typed.get(f"column_{field}", "").strip() for field in profiles.FIELDS}
    try:
        profiles.save_profile(
            context(),
            name=typed["name"].strip(),
            columns=columns,
            tests=_tests(typed.get("tests", "")),
            record=typed.get("record", "").strip() or None,
        )
    except DomainError as error:
        return _page(profile_form=_refused(error, prefix="column_"), status=error.status)
    flash(_("The profile is saved."), "success")
    return redirect(url_for("metrology.results.import_page"), 303)


@result_pages.post("/metrology/results/profiles/<int:profile_id>/remove")
@requires(EDIT)
def remove_profile(profile_id: int) -> ResponseReturnValue:
    """Forget a profile."""
    profiles.remove_profile(context(), profile_id=profile_id)
    flash(_("The profile is removed."), "success")
    return redirect(url_for("metrology.results.import_page"), 303)


def _mistakes() -> dict[str, list[str]]:
    """Return what is wrong with a typed profile before anything is looked up."""
    wrong: dict[str, list[str]] = {}
    name = request.form.get("name", "").strip()
    if not name or len(name) > LONGEST:
        wrong["name"] = [_("Give it a name of up to %(n)s letters.", n=LONGEST)]
    for text_name, text in request.form.items():
        if len(text) > LONGEST and text_name not in {"tests", "nonce"}:
            wrong.setdefault(text_name, [_("This is too long.")])
    if "=" not in request.form.get("tests", ""):
        wrong["tests"] = [_("Write one test a line: its name in the file = our step.")]
    return wrong


def _tests(text: str) -> dict[str, str]:
    """Return `name = step` lines as a table; a line without a step is left to be refused."""
    pairs = [line.rpartition("=") for line in text.splitlines() if line.strip()]
    return {plain(name): key.strip() for name, _sign, key in pairs}


def _refused(error: DomainError, prefix: str = "") -> Form:
    fields = {
        (f"{prefix}{name}" if prefix and name in profiles.FIELDS else name): [
            str(text) for text in texts
        ]
        for name, texts in error.fields.items()
    }
    return Form(None, fields or {"_schema": [str(error)]}, request.form)


def _page(
    *,
    results: Results | None = None,
    form: Form | None = None,
    profile_form: Form | None = None,
    name: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    ctx = context()
    return render_template(
        "metrology/results.html",
        results=results,
        form=form,
        profile_form=profile_form,
        name=name,
        names=list(profiles.profiles_of(ctx)),
        saved=profiles.saved_profiles(ctx),
        fields=profiles.FIELDS,
        needed=profiles.NEEDED,
        tests=list(safety_tests().values()),
        files=result_storing.files_read(ctx),
        chosen=request.form.get("profile", ""),
    ), status
