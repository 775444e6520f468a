"""What a template must look like, whether it comes from a page, from a program or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from apm.core.i18n import _l
from apm.core.units import known_unit
from apm.procedures.limits import LARGEST, check_set_points, check_tolerance
from apm.procedures.model import OnFail, Section, StepKind, Trust

CODE = r"[A-Za-z][A-Za-z0-9-]{1,19}"
STEP_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,29}"
MOST_STEPS, MOST_POINTS, MOST_LINES = 300, 40, 60
LONGEST_MINUTES = 10_000
STATED = (Trust.SEEN, Trust.RECALLED, Trust.POLICY)
"""What a document may say of a limit; only a signature makes it confirmed."""
RANK = {section: position for position, section in enumerate(Section)}


class Text(fields.String):
    """A text without blanks around it, of one line."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = " ".join(super()._deserialize(value, attr, data, **kwargs).split())
        if not text and not self.allow_none:
            raise ValidationError([_l("Fill this in.")])
        return text or None

    def _validate(self, value: Any) -> None:
        if value is not None:
            super()._validate(value)


def _text(most: int, **options: Any) -> Text:
    return Text(required=True, validate=validate.Length(max=most), **options)


def _maybe(most: int) -> Text:
    return Text(load_default=None, allow_none=True, validate=validate.Length(max=most))


def _lines(most: int = 120) -> fields.List[Any]:
    return fields.List(_text(most), load_default=list, validate=validate.Length(max=MOST_LINES))


class Code(fields.String):
    """The code of a template, in capitals."""

    def __init__(self, **options: Any) -> None:
        says = _l("Use 2 to 20 letters, digits or hyphens, with a letter first.")
        super().__init__(validate=validate.Regexp(rf"^{CODE}\Z", error=says), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs).strip().upper()


class Unit(fields.String):
    """A unit, as we write it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        found = known_unit(text)
        if text and found is None:
            says = _l(
                "We do not know the unit %(unit)s. Choose one from the list.", unit=text[:20]
            )
            raise ValidationError([says])
        return found


class SetPoint(fields.Field[Any]):
    """A number, or a word for a setting that is none (`max`, `120/80`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and abs(value) <= LARGEST:  # what is not finite fails here too
            return value
        if isinstance(value, str) and 0 < len(value.strip()) <= 20:
            return value.strip()
        raise ValidationError([_l("A set point is a number, or a short word.")])


class ToleranceField(fields.Field[Any]):
    """How far a value may be off."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> Any:
        return check_tolerance(value)


class ReplacedIn(Schema):
    """What is replaced after a time, or after hours of running."""

    en = _text(120)
    zh = _text(120)
    every = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100_000))
    unit = fields.String(required=True, validate=validate.OneOf(["months", "hours"]))


class StepIn(Schema):
    """One step of a template."""

    id = fields.String(
        required=True,
        validate=validate.Regexp(
            rf"^{STEP_ID}\Z",
            error=_l("Use up to 30 letters, digits, hyphens or underscores."),
        ),
    )
    section = fields.String(
        load_default=Section.FUNCTION.value, validate=validate.OneOf([s.value for s in Section])
    )
    kind = fields.String(required=True, validate=validate.OneOf([k.value for k in StepKind]))
    en = _text(300)
    zh = _text(300)
    mandatory = fields.Boolean(load_default=True)
    photo = fields.Boolean(load_default=False)
    on_fail = fields.String(
        load_default=OnFail.REPAIR.value, validate=validate.OneOf([o.value for o in OnFail])
    )
    note = _maybe(500)
    unit = Unit(load_default=None, allow_none=True)
    at = fields.List(SetPoint(), load_default=None, allow_none=True,
                     validate=validate.Length(max=MOST_POINTS))  # fmt: skip
    at_unit = Unit(load_default=None, allow_none=True)
    tolerance = ToleranceField(load_default=None, allow_none=True)
    source = _maybe(300)
    trust = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf([t.value for t in STATED]),
    )

    @validates_schema
    def _fits_its_kind(self, data: dict[str, Any], **_options: Any) -> None:
        wrong = _of_a_check(data) if data["kind"] == StepKind.CHECK else _of_a_measurement(data)
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def _whole(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Fill what was left out, in the order of a document."""
        if data["kind"] == StepKind.MEASURE and data["trust"] is None:
            data["trust"] = Trust.RECALLED.value
        data["at"] = data["at"] or None
        return {name: data[name] for name in self.fields}


def _of_a_check(data: Mapping[str, Any]) -> dict[str, list[object]]:
    says = _l("A check is answered pass or fail. Leave this out, or make it a measurement.")
    asked = ("unit", "at", "at_unit", "tolerance", "source", "trust")
    return {name: [says] for name in asked if data.get(name)}


def _of_a_measurement(data: Mapping[str, Any]) -> dict[str, list[object]]:
    wrong: dict[str, list[object]] = {}
    if not data.get("unit"):
        wrong["unit"] = [_l("A measurement needs a unit.")]
    if data.get("tolerance") is None:
        wrong["tolerance"] = [_l("A measurement needs a limit.")]
    if not data.get("source"):
        wrong["source"] = [_l("Say where the limit comes from: a standard, a manual, a page.")]
    if data.get("at") == []:
        wrong["at"] = [_l("The list of set points is empty. Give some, or leave the list out.")]
    elif data.get("tolerance") and (
        errors := check_set_points(data["tolerance"], data.get("at") or ())
    ):
        wrong["at"] = errors
    return wrong


class HeadIn(Schema):
    """What a template says beside its steps."""

    en = _text(120)
    zh = _text(120)
    interval_months = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 120, error=_l("Give whole months, 1 to %(n)s.", n=120)),
    )
    interval_source = fields.String(load_default="", validate=validate.Length(max=300))
    minutes = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, LONGEST_MINUTES),
    )
    tools = _lines()
    spares = _lines()
    metrology = _lines()
    absorbs = fields.List(Code(), load_default=list, validate=validate.Length(max=MOST_LINES))
    parts = fields.List(
        fields.Nested(ReplacedIn), load_default=list, validate=validate.Length(max=MOST_LINES)
    )


class DocumentIn(HeadIn):
    """A whole template.  A step that is no measurement has no unit, set points or limit."""

    code = Code(required=True)
    steps = fields.List(
        fields.Nested(StepIn), load_default=list, validate=validate.Length(max=MOST_STEPS)
    )

    @validates_schema
    def _is_sound(self, data: dict[str, Any], **_options: Any) -> None:
        wrong: dict[str, Any] = {}
        seen: set[str] = set()
        for position, step in enumerate(data["steps"]):
            if step["id"].casefold() in seen:
                says = _l("There are two steps “%(id)s”. Give one of them another.", id=step["id"])
                wrong.setdefault("steps", {})[position] = {"id": [says]}
            seen.add(step["id"].casefold())
        if data["code"] in data["absorbs"]:
            wrong["absorbs"] = [_l("A template cannot include itself.")]
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def _ordered(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Put the steps in the order of their sections, as people do them."""
        steps = sorted(data["steps"], key=lambda step: RANK[Section(step["section"])])
        head = {name: data[name] for name in self.fields if name != "steps"}
        return {**head, "absorbs": list(dict.fromkeys(data["absorbs"])), "steps": steps}


def flat(errors: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Return nested errors as pairs of a path and a text: `("steps", 3, "unit")`."""
    if isinstance(errors, dict):
        return [one for key, inner in errors.items() for one in flat(inner, (*path, key))]
    if isinstance(errors, (list, tuple)):
        return [one for inner in errors for one in flat(inner, path)]
    return [(path, str(errors))]
