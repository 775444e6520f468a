"""What people may say about a forecast."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length

from apm.forecasts.model import Dismissal


class DismissIn(Schema):
    """Why a forecast is set aside."""

    why = fields.Enum(
        Dismissal, by_value=True, required=True, metadata={"description": "The reason."}
    )
    note = fields.String(
        validate=Length(max=2000), metadata={"description": "What was seen or done."}
    )
