"""All models, imported so that the metadata is whole: for migrations and for every process."""

from apm.accounts import model as accounts
from apm.assets import model as assets
from apm.core import audit, codes, events, hospital_scope, idempotency, limits
from apm.forecasts import model as forecasts
from apm.maintenance import model as maintenance
from apm.notify import model as notify
from apm.readings import model as readings
from apm.requests import model as requests
from apm.stocktake import model as stocktake
from apm.work import model as work
from apm.worker import model as worker

__all__ = [
    "accounts", "assets", "audit", "codes", "events", "forecasts", "hospital_scope",
    "idempotency", "limits", "maintenance", "notify", "readings", "requests", "stocktake",
    "work", "worker",
]  # fmt: skip
