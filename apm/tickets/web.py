"""The pages of tickets: one blueprint over those of its parts."""

from flask import Blueprint

import apm.tickets.panels  # noqa: F401  (registers the sections of the asset page)
from apm.tickets.causes import cause_name
from apm.tickets.public_pages import public_pages
from apm.tickets.request_pages import request_pages
from apm.tickets.symptoms import symptom_name
from apm.tickets.work_pages import work_pages

web = Blueprint("tickets", __name__)
for part in (public_pages, request_pages, work_pages):
    web.register_blueprint(part)


@web.app_context_processor
def _words() -> dict[str, object]:
    """Give templates the words that only tickets knows."""
    return {"symptom_name": symptom_name, "cause_name": cause_name}
