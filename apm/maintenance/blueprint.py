"""The blueprint that all pages of maintenance hang on."""

from flask import Blueprint

web = Blueprint("maintenance", __name__)
