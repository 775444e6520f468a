"""The pages of requests: one blueprint over those of its parts."""

from flask import Blueprint

import apm.requests.panels  # noqa: F401  (registers sections of other pages)
from apm.requests.public_pages import public_pages
from apm.requests.satisfaction_pages import satisfaction_pages
from apm.requests.staff_pages import staff_pages
from apm.requests.symptoms import symptom_name

web = Blueprint("requests", __name__)
for part in (public_pages, staff_pages, satisfaction_pages):
    web.register_blueprint(part)
web.add_app_template_global(symptom_name)  # a global, so that macros know it too
