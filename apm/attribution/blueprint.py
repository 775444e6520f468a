"""Where the JSON endpoints of causes and of devices' logs are registered."""

from __future__ import annotations

from apm.core.intake import Blueprint

api = Blueprint("attribution_api", __name__, url_prefix="/api/v1", description="Causes")
