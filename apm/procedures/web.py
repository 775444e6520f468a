"""The pages that show what a maintenance template asks for, and where its limits come from."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from apm.core.http import requires
from apm.core.permissions import Permission
from apm.procedures.catalogue import template, templates
from apm.procedures.snapshot import steps_for

web = Blueprint("procedures", __name__)


@web.get("/templates")
@requires(Permission.PLAN_READ)
def template_list() -> ResponseReturnValue:
    """All templates."""
    entries = [(entry, len(steps_for(entry))) for entry in templates().values()]
    return render_template("procedures/list.html", entries=entries)


@web.get("/templates/<code>")
@requires(Permission.PLAN_READ)
def template_page(code: str) -> ResponseReturnValue:
    """One template, section by section."""
    entry = template(code)
    steps = groupby(steps_for(entry), key=lambda step: step.section)
    return render_template(
        "procedures/show.html", entry=entry, sections=[(name, list(of)) for name, of in steps]
    )
