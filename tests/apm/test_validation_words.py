"""A value that does not fit is refused in the reader's language."""

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from apm.core import validation
from apm.core.i18n import speaking

assert validation


class Sample(Schema):
    number = fields.Integer(required=True, validate=validate.Range(1, 5))
    least = fields.Integer(validate=validate.Range(min=3))
    text = fields.String(validate=validate.Length(max=3))
    kind = fields.String(validate=validate.OneOf(["a", "b"]))
    day = fields.Date()
    at = fields.AwareDateTime()


CASES = [
    ({}, "number", "Fill this in.", "请填写"),
    ({"number": "x"}, "number", "Give a whole number.", "整数"),
    ({"number": 9}, "number", "Give a value from 1 to 5.", "1"),
    ({"number": 1, "least": 1}, "least", "Give at least 3.", "3"),
    ({"number": 1, "text": "long"}, "text", "Give at most 3 characters.", "3"),
    ({"number": 1, "kind": "c"}, "kind", "Choose one of: a, b.", "a, b"),
    ({"number": 1, "day": "2024-02-30"}, "day", "Give a date such as 2026-11-22.", "日期"),
    ({"number": 1, "at": "now"}, "at", "Give a date and time such as", "时间"),
    ({"number": 1, "more": 1}, "more", "There is no such field.", "字段"),
]


@pytest.mark.parametrize(("given", "field", "english", "chinese"), CASES)
def test_in_both_languages(given, field, english, chinese):
    said = {}
    for language in ("en", "zh"):
        with speaking(language):
            with pytest.raises(ValidationError) as refusal:
                Sample().load(given)
            said[language] = str(refusal.value.messages[field][0])
    assert english in said["en"]
    assert chinese in said["zh"]
    assert said["en"] != said["zh"]
