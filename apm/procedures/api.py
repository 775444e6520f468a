"""The templates as JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from apm.core.http import requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.procedures.catalogue import Template, template, templates
from apm.procedures.snapshot import steps_for

api = Blueprint("procedures_api", __name__, url_prefix="/api/v1")


class TemplateListQuery(Schema):
    """Where a list goes on."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    after = fields.String(load_default=None)


class TemplateStepOut(Schema):
    """One step, as a work order would copy it."""

    key = fields.String()
    section = fields.String()
    kind = fields.String()
    text = fields.String()
    text_zh = fields.String()
    unit = fields.String()
    reference = fields.Float()
    reference_text = fields.String()
    tolerance = fields.Raw()
    source = fields.String()
    to_verify = fields.Boolean(metadata={"description": "The limit is from memory."})
    mandatory = fields.Boolean()


class TemplateOut(Schema):
    """One maintenance template."""

    code = fields.String()
    version = fields.String()
    name = fields.String(attribute="en")
    name_zh = fields.String(attribute="zh")
    interval_months = fields.Integer()
    interval_source = fields.String(attribute="interval_source.title")
    tools = fields.List(fields.String())
    steps = fields.Function(lambda t: TemplateStepOut(many=True).dump(steps_for(t)))


class TemplatePage(Schema):
    """Some templates."""

    items = fields.List(fields.Nested(TemplateOut))
    next = fields.String()


@api.get("/templates")
@api.arguments(TemplateListQuery, location="query")
@api.response(200, TemplatePage)
@requires(Permission.PLAN_READ)
def list_templates(wanted: dict[str, Any]) -> dict[str, Any]:
    """All templates with their steps."""
    codes = list(templates())
    start = codes.index(wanted["after"]) + 1 if wanted["after"] in codes else 0
    shown = codes[start : start + wanted["limit"]]
    has_more = start + len(shown) < len(codes)
    return {
        "items": [templates()[code] for code in shown],
        "next": shown[-1] if has_more else None,
    }


@api.get("/templates/<code>")
@api.response(200, TemplateOut)
@requires(Permission.PLAN_READ)
def one_template(code: str) -> Template:
    """One template with its steps."""
    return template(code)
