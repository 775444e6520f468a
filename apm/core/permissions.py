"""Every permission and every role in one place.  Format `resource.action`; alphabetical."""

from enum import StrEnum


class Permission(StrEnum):
    """What an actor may do.  Roles are sets of these; code never asks for a role."""

    ACCOUNT_OWN = "account.own"
    ALARM_AUTHORISE = "alarm.authorise"
    ALARM_HANDLE = "alarm.handle"
    ALARM_READ = "alarm.read"
    ANALYTICS_READ = "analytics.read"
    ASSET_EDIT = "asset.edit"
    ASSET_IMPORT = "asset.import"
    ASSET_READ = "asset.read"
    AUDIT_READ = "audit.read"
    CAUSE_CONFIRM = "cause.confirm"
    ENERGY_EDIT = "energy.edit"
    ENVIRONMENT_CHECK = "environment.check"
    ENVIRONMENT_EDIT = "environment.edit"
    FORECAST_HANDLE = "forecast.handle"
    FORECAST_READ = "forecast.read"
    LABEL_PRINT = "label.print"
    METROLOGY_EDIT = "metrology.edit"
    METROLOGY_READ = "metrology.read"
    MODEL_EDIT = "model.edit"
    PART_EDIT = "part.edit"
    PART_ISSUE = "part.issue"
    PART_READ = "part.read"
    PART_STOCK = "part.stock"
    PLAN_EDIT = "plan.edit"
    PLAN_READ = "plan.read"
    READING_READ = "reading.read"
    READING_SEND = "reading.send"
    RECALL_EDIT = "recall.edit"
    RECALL_READ = "recall.read"
    REQUEST_READ = "request.read"
    REQUEST_REPORT = "request.report"
    REQUEST_TRIAGE = "request.triage"
    SENSOR_EDIT = "sensor.edit"
    STOCKTAKE_RUN = "stocktake.run"
    SYSTEM_RUN = "system.run"
    TEAM_EDIT = "team.edit"
    TEMPLATE_EDIT = "template.edit"
    USER_ADMIN = "user.admin"
    VENDOR_EDIT = "vendor.edit"
    WORK_ASSIGN = "work.assign"
    WORK_BY_LINK = "work.by_link"
    WORK_CLOSE = "work.close"
    WORK_CREATE = "work.create"
    WORK_DO = "work.do"
    WORK_READ = "work.read"


P = Permission


class Role(StrEnum):
    """What a person or a token is in one hospital."""

    REPORTER = "reporter"
    TECHNICIAN = "technician"
    ENGINEER = "engineer"
    MANAGER = "manager"
    ADMIN = "admin"
    VENDOR = "vendor"
    DEVICE = "device"


_REPORTER = frozenset({
    P.ACCOUNT_OWN, P.ASSET_READ, P.ENVIRONMENT_CHECK, P.REQUEST_READ, P.REQUEST_REPORT,
})  # fmt: skip
_TECHNICIAN = _REPORTER | {
    P.ALARM_READ, P.FORECAST_READ, P.LABEL_PRINT, P.METROLOGY_READ, P.PART_ISSUE, P.PART_READ,
    P.PLAN_READ, P.READING_READ, P.RECALL_READ, P.STOCKTAKE_RUN, P.WORK_DO, P.WORK_READ,
}  # fmt: skip
_ENGINEER = _TECHNICIAN | {
    P.ALARM_HANDLE, P.ANALYTICS_READ, P.ASSET_EDIT, P.ASSET_IMPORT, P.CAUSE_CONFIRM, P.ENERGY_EDIT,
    P.ENVIRONMENT_EDIT, P.FORECAST_HANDLE, P.METROLOGY_EDIT, P.MODEL_EDIT, P.PART_EDIT,
    P.PART_STOCK, P.PLAN_EDIT, P.READING_SEND, P.RECALL_EDIT, P.REQUEST_TRIAGE, P.SENSOR_EDIT,
    P.TEAM_EDIT, P.TEMPLATE_EDIT, P.VENDOR_EDIT, P.WORK_ASSIGN, P.WORK_CLOSE, P.WORK_CREATE,
}  # fmt: skip
_MANAGER = _REPORTER | {
    P.ALARM_AUTHORISE, P.ALARM_READ, P.ANALYTICS_READ, P.ASSET_EDIT, P.ASSET_IMPORT, P.AUDIT_READ,
    P.ENERGY_EDIT, P.ENVIRONMENT_EDIT, P.FORECAST_HANDLE, P.FORECAST_READ, P.LABEL_PRINT,
    P.METROLOGY_EDIT, P.METROLOGY_READ, P.PART_EDIT, P.PART_ISSUE, P.PART_READ, P.PART_STOCK,
    P.PLAN_EDIT, P.PLAN_READ, P.READING_READ, P.RECALL_EDIT, P.RECALL_READ, P.REQUEST_TRIAGE,
    P.STOCKTAKE_RUN, P.TEAM_EDIT, P.TEMPLATE_EDIT, P.VENDOR_EDIT, P.WORK_ASSIGN, P.WORK_CLOSE,
    P.WORK_CREATE, P.WORK_READ,
}  # fmt: skip
ROLES: dict[Role, frozenset[Permission]] = {
    Role.REPORTER: _REPORTER,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.ENGINEER: _ENGINEER,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: _MANAGER | _ENGINEER | {P.USER_ADMIN},
    Role.VENDOR: frozenset({P.ACCOUNT_OWN}),  # what a vendor does goes by `VENDOR_LINK`
    Role.DEVICE: frozenset({P.READING_SEND}),
}
VISITOR = frozenset({P.REQUEST_REPORT})
"""Somebody without a login who scanned a label."""
VENDOR_LINK = frozenset({P.WORK_BY_LINK})
"""Somebody of another company who holds a link to one work order (`Actor.bound_to`)."""
SYSTEM = frozenset(Permission)
"""The worker and the command line, always bound to a hospital unless they serve all."""
