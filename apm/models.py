"""All models, imported so that the metadata is whole: for migrations and for every process."""

from apm.accounts import model as accounts
from apm.alarms import model as alarms
from apm.assets import model as assets
from apm.attribution import model as attribution
from apm.collecting import model as collecting
from apm.core import audit, codes, events, hospital_scope, idempotency, limits
from apm.detecting import model as detecting
from apm.environment import model as environment
from apm.forecasts import fleet_model as forecasts_fleet
from apm.forecasts import model as forecasts
from apm.forecasts import score_model as forecasts_score
from apm.forecasts import why_model as forecasts_why
from apm.maintenance import model as maintenance
from apm.metrology import model as metrology
from apm.metrology import result_model as metrology_results
from apm.notify import model as notify
from apm.parts import model as parts
from apm.procedures import model as procedures
from apm.readings import model as readings
from apm.recalls import model as recalls
from apm.reports import model as reports
from apm.requests import model as requests
from apm.risk import model as risk
from apm.stocktake import model as stocktake
from apm.teams import model as teams
from apm.utilisation import model as utilisation
from apm.vendors import link_model as vendor_links
from apm.vendors import model as vendors
from apm.webhooks import model as webhooks
from apm.work import clock_model as work_clocks
from apm.work import field_model as work_field
from apm.work import model as work
from apm.worker import model as worker

__all__ = [
    "accounts", "alarms", "assets", "attribution", "audit", "codes", "collecting", "detecting",
    "environment", "events", "forecasts", "forecasts_fleet", "forecasts_score", "forecasts_why",
    "hospital_scope", "idempotency", "limits", "maintenance", "metrology", "metrology_results",
    "notify", "parts", "procedures", "readings", "recalls", "reports", "requests", "risk",
    "stocktake", "teams", "utilisation", "vendor_links", "vendors", "webhooks", "work",
    "work_clocks", "work_field", "worker",
]  # fmt: skip
