"""The pages of tickets: one blueprint over those of its parts."""

from flask import Blueprint

from apm.tickets.public_pages import public_pages
from apm.tickets.symptoms import symptom_name

web = Blueprint("tickets", __name__)
web.register_blueprint(public_pages)


@web.app_context_processor
def _words() -> dict[str, object]:
    """Give templates the words that only tickets knows."""
    return {"symptom_name": symptom_name}
