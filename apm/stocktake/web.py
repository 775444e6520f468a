"""The pages of counts.  Everything works by typing codes; the camera only types faster."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.queries import departments
from apm.core.codes import normal_code
from apm.core.errors import Conflict, Invalid
from apm.core.http import context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.stocktake import commands, queries
from apm.stocktake.model import Found
from apm.stocktake.report import csv_of, report_of

RUN = Permission.STOCKTAKE_RUN
web = Blueprint("stocktake", __name__)


@web.get("/stocktakes")
@requires(RUN)
def stocktakes() -> ResponseReturnValue:
    """All counts, and a form to begin one."""
    return _list_page()


def _list_page(refusal: Conflict | None = None) -> str:
    ctx = context()
    page = queries.stocktake_page(ctx, after=request.args.get("after"))
    return render_template(
        "stocktake/stocktakes.html",
        page=page,
        counts=queries.counts_of(ctx, page.items),
        departments=departments(ctx),
        refusal=refusal,
    )


@web.post("/stocktakes")
@requires(RUN)
def start() -> ResponseReturnValue:
    """Begin to count a department."""
    department_id = whole_number(request.form.get("department")) or 0
    try:
        begun = commands.start(context(), department_id=department_id)
    except Conflict as refusal:
        return _list_page(refusal), refusal.status
    return redirect(url_for("stocktake.show", no=begun.no), 303)


@web.get("/stocktakes/<no>")
@requires(RUN)
def show(no: str) -> ResponseReturnValue:
    """One count: the scanner, and how it stands."""
    return _count_page(no)


def _count_page(no: str, refusal: Invalid | None = None) -> str:
    ctx = context()
    stocktake = queries.stocktake_by_no(ctx, no)
    last = request.args.get("last")
    scans = queries.scans_of(ctx, stocktake, limit=queries.MOST_SHOWN)
    return render_template(
        "stocktake/count.html",
        stocktake=stocktake,
        counts=queries.counts_of(ctx, [stocktake])[stocktake.id],
        scans=scans,
        unexpected=queries.scans_of(ctx, stocktake, Found.UNEXPECTED, limit=queries.MOST_SHOWN),
        missing=queries.missing_from(ctx, stocktake, limit=queries.MOST_SHOWN),
        last=queries.scan_of(ctx, stocktake, last) if last else None,
        again="again" in request.args,
        refusal=refusal,
    )


@web.post("/stocktakes/<no>/scans")
@requires(RUN)
def scan(no: str) -> ResponseReturnValue:
    """Count one code."""
    try:
        counted = commands.scan(context(), no=no, code=request.form.get("code", ""))
    except Invalid as refusal:
        return _count_page(no, refusal), refusal.status
    again = None if counted.is_new else 1
    return redirect(url_for("stocktake.show", no=no, last=counted.scan.code, again=again), 303)


@web.post("/stocktakes/<no>/move")
@requires(RUN)
def move_here(no: str) -> ResponseReturnValue:
    """Register under this department what was found in it."""
    code = normal_code(request.form.get("code", ""))
    commands.move_here(context(), no=no, code=code)
    flash(_("The asset now belongs to this department."), "success")
    return redirect(url_for("stocktake.show", no=no), 303)


@web.route("/stocktakes/<no>/finish", methods=["GET", "POST"])
@requires(RUN)
def finish(no: str) -> ResponseReturnValue:
    """End a count, after seeing what is still missing."""
    ctx = context()
    if request.method == "POST":
        update = request.form.get("update_register") == "true"
        commands.finish(ctx, no=no, update_register=update)
        flash(_("The stocktake is finished."), "success")
        return redirect(url_for("stocktake.report", no=no), 303)
    stocktake = queries.stocktake_by_no(ctx, no)
    return render_template(
        "stocktake/finish.html",
        stocktake=stocktake,
        counts=queries.counts_of(ctx, [stocktake])[stocktake.id],
        missing=queries.missing_from(ctx, stocktake, limit=queries.MOST_SHOWN),
    )


@web.get("/stocktakes/<no>/report")
@requires(RUN)
def report(no: str) -> ResponseReturnValue:
    """The result, complete and printable."""
    ctx = context()
    stocktake = queries.stocktake_by_no(ctx, no)
    return render_template(
        "stocktake/report.html", stocktake=stocktake, report=report_of(ctx, stocktake)
    )


@web.get("/stocktakes/<no>/report.csv")
@requires(RUN)
def report_csv(no: str) -> ResponseReturnValue:
    """The result as a spreadsheet."""
    ctx = context()
    stocktake = queries.stocktake_by_no(ctx, no)
    answer = Response(csv_of(report_of(ctx, stocktake)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{stocktake.no}.csv"'
    return answer
