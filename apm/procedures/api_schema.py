"""How the API shows templates, drafts and versions, and what it takes beside whole documents."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.procedures.schema import DocumentIn
from apm.procedures.snapshot import steps_for


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
    confirmed_by = fields.String(metadata={"description": "Who signed for it here, and when."})
    mandatory = fields.Boolean()
    needs_photo = fields.Boolean()
    on_fail = fields.String()


class TemplateOut(Schema):
    """One maintenance template, limits as confirmed at the hospital."""

    code = fields.String()
    version = fields.String()
    own = fields.Boolean(attribute="is_own", metadata={"description": "The hospital's own."})
    retired = fields.Boolean(attribute="is_retired")
    name = fields.String(attribute="en")
    name_zh = fields.String(attribute="zh")
    interval_months = fields.Integer()
    interval_source = fields.String(attribute="interval_source.title")
    minutes = fields.Integer(allow_none=True)
    tools = fields.List(fields.String())
    spares = fields.List(fields.String())
    absorbs = fields.List(fields.String())
    steps = fields.Function(lambda t: TemplateStepOut(many=True).dump(steps_for(t)))


class TemplatePage(Schema):
    """Some templates."""

    items = fields.List(fields.Nested(TemplateOut))
    next = fields.String()


class NewTemplateIn(Schema):
    """A template to begin: a copy of another one, or empty."""

    code = fields.String(required=True, validate=validate.Length(max=40))
    en = fields.String(required=True, validate=validate.Length(max=200))
    zh = fields.String(required=True, validate=validate.Length(max=200))
    copy_of = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))


class DraftOut(Schema):
    """A draft; `document` can be changed and sent back."""

    code = fields.String()
    based_on = fields.String(allow_none=True)
    released = fields.Integer(metadata={"description": "The version that holds; 0: none."})
    draft_by = fields.String(allow_none=True)
    draft_at = fields.AwareDateTime(format="iso", allow_none=True)
    document = fields.Nested(DocumentIn, attribute="draft", allow_none=True)


class TrialAnswerIn(Schema):
    """What is typed for one step: text, as on the page."""

    value = fields.String(load_default="", validate=validate.Length(max=60))
    verdict = fields.String(load_default="", validate=validate.Length(max=20))
    low = fields.String(load_default="", validate=validate.Length(max=60))
    high = fields.String(load_default="", validate=validate.Length(max=60))
    reference = fields.String(load_default="", validate=validate.Length(max=60))


class TrialIn(Schema):
    """Answers by step key."""

    answers = fields.Dict(keys=fields.String(), values=fields.Nested(TrialAnswerIn), required=True)


class TrialOut(Schema):
    """How a test run went."""

    answered = fields.Integer()
    of = fields.Integer()
    results = fields.Raw()


class ReleaseIn(Schema):
    """A signature under a draft."""

    note = fields.String(required=True, validate=validate.Length(max=300))
    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class VersionOut(Schema):
    """One released version, without its content."""

    number = fields.Integer()
    note = fields.String()
    person = fields.String()
    at = fields.AwareDateTime(format="iso")
    meaning = fields.String()
    record_hash = fields.String()


class WholeVersionOut(VersionOut):
    """One released version."""

    document = fields.Raw()


class VersionPage(Schema):
    """All versions of a template, the newest first."""

    items = fields.List(fields.Nested(VersionOut))
    next = fields.String(allow_none=True)


class DiffQuery(Schema):
    """Which two versions: a number, `draft` or `shipped`."""

    old = fields.String(data_key="from", load_default=None)
    new = fields.String(data_key="to", load_default=None)


class FieldChangeOut(Schema):
    """One value before and after."""

    name = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class StepChangeOut(Schema):
    """What happened to one step."""

    change = fields.String()
    id = fields.String(attribute="step.id")
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)
    fields_ = fields.List(fields.Nested(FieldChangeOut), attribute="fields", data_key="fields")


class DiffOut(Schema):
    """What changed from one version to another."""

    old = fields.String(data_key="from")
    new = fields.String(data_key="to")
    head = fields.List(fields.Nested(FieldChangeOut))
    steps = fields.List(fields.Nested(StepChangeOut))


class ConfirmationIn(Schema):
    """A signature under a limit; without a tolerance, under the one the template names."""

    step = fields.String(required=True, validate=validate.Length(max=40))
    source = fields.String(required=True, validate=validate.Length(max=300))
    tolerance = fields.Dict(load_default=None, allow_none=True)
    everywhere = fields.Boolean(load_default=False)
    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class ConfirmationOut(Schema):
    """A confirmed limit."""

    template = fields.String(attribute="template_code")
    step = fields.String()
    was = fields.Raw()
    tolerance = fields.Raw()
    unit = fields.String()
    source = fields.String()
    person = fields.String()
    at = fields.AwareDateTime(format="iso")
    meaning = fields.String()
    record_hash = fields.String()


class ConfirmationPage(Schema):
    """Confirmed limits, the newest first."""

    items = fields.List(fields.Nested(ConfirmationOut))
    next = fields.String(allow_none=True)
