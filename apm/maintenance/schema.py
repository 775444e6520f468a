"""What a plan must look like, from a form or from JSON, and how the API shows plans."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from apm.core.i18n import _l
from apm.maintenance.commands import Rhythm
from apm.maintenance.due import LONGEST_EARLY_DAYS
from apm.maintenance.lists import OccurrenceRow, PlanRow, Stand
from apm.maintenance.model import OccurrenceState, PlanMode

LONGEST_MONTHS = 120
