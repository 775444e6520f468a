"""The pages of requests: one blueprint over those of its parts."""

from flask import Blueprint

import apm.requests.panels  # noqa: F401  (registers sections of other pages)
from apm.requests.public_pages import public_pages
from apm.requests.staff_pages import staff_pages
from apm.requests.symptoms import symptom_name

web = Blueprint("requests", __name__)
for part in (public_pages, staff_pages):
    web.register_blueprint(part)


@web.app_context_processor
def _words() -> dict[str, object]:
    """Give templates the words that only requests know."""
    return {"symptom_name": symptom_name}
