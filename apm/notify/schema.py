"""What the forms of messages must look like."""

from __future__ import annotations

import re

from marshmallow import Schema, fields, validate

from apm.core.i18n import LANGUAGES, _l
from apm.notify.topics import Choice, Topic

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
WHO = ("on_duty", "engineers", "managers", "admins", "nobody")


class ChannelForm(Schema):
    """What every channel has."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=80))
    language = fields.String(load_default="en", validate=validate.OneOf(LANGUAGES))


def _after() -> fields.Integer:
    return fields.Integer(required=True, validate=validate.Range(1, 1440))


def _who() -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(WHO))


class ChainForm(Schema):
    """Three steps: minutes after the one before, and who is asked."""

    after_0, who_0 = _after(), _who()
    after_1, who_1 = _after(), _who()
    after_2, who_2 = _after(), _who()


def _clock() -> fields.String:
    error = _l("Give a time such as 22:00.")
    return fields.String(validate=validate.Regexp(CLOCK.pattern + r"\Z", error=error))


RulesForm = Schema.from_dict(
    {
        **{
            f"topic_{topic.value}": fields.Enum(Choice, by_value=True, required=False)
            for topic in Topic
        },
        "quiet_from": _clock(),
        "quiet_until": _clock(),
        "urgent_breaks": fields.Boolean(load_default=False),
        "digest_hour": fields.Integer(load_default=8, validate=validate.Range(0, 23)),
    },
    name="RulesForm",
)
"""What a person wants: a choice for each topic, quiet hours, the hour of the digest."""
