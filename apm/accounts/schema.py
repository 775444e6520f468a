"""What the forms of accounts must look like."""

from marshmallow import Schema, fields, validate

from apm.core.i18n import LANGUAGES


class SignIn(Schema):
    """The sign-in form."""

    email = fields.String(required=True, validate=validate.Length(max=200))
    password = fields.String(required=True, validate=validate.Length(max=200))


class Preferences(Schema):
    """What a person may change about themselves."""

    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))


class NewPassword(Schema):
    """A change of password."""

    current = fields.String(required=True)
    password = fields.String(required=True, validate=validate.Length(min=8, max=200))
