"""What people are told about, and the kinds of channels that carry it."""

from __future__ import annotations

from enum import StrEnum

from apm.core.permissions import Permission, Role


class Topic(StrEnum):
    """A subject that a person may want to hear of, or not."""

    URGENT = "urgent"
    REPORT = "report"
    ASSIGNED = "assigned"
    TO_CLOSE = "to_close"
    MY_REPORT = "my_report"
    FINDING = "finding"
    DEADLINE = "deadline"
    OVERDUE = "overdue"
    STOCK = "stock"
    METROLOGY = "metrology"
    RECALL = "recall"
    SYSTEM = "system"


class Choice(StrEnum):
    """How soon a person wants to hear of a topic."""

    NOW = "now"
    DIGEST = "digest"
    APP = "app"
    """only in the program's own inbox"""
    OFF = "off"


class ChannelKind(StrEnum):
    """A way out of the program."""

    EMAIL = "email"
    WECOM_ROBOT = "wecom_robot"
    WECOM_APP = "wecom_app"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    WECHAT = "wechat"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


PERSONAL = frozenset({ChannelKind.EMAIL, ChannelKind.WECOM_APP, ChannelKind.WECHAT})
"""Kinds that reach one person; the others post into a group that everybody in it reads."""

CONCERNS: dict[Topic, frozenset[Permission]] = {
    Topic.URGENT: frozenset({Permission.REQUEST_TRIAGE}),
    Topic.REPORT: frozenset({Permission.REQUEST_TRIAGE}),
    Topic.ASSIGNED: frozenset({Permission.WORK_DO}),
    Topic.TO_CLOSE: frozenset({Permission.WORK_CLOSE}),
    Topic.MY_REPORT: frozenset({Permission.REQUEST_REPORT}),
    Topic.FINDING: frozenset({Permission.WORK_ASSIGN}),
    Topic.DEADLINE: frozenset({Permission.WORK_DO, Permission.WORK_ASSIGN}),
    Topic.OVERDUE: frozenset({Permission.WORK_DO, Permission.WORK_ASSIGN}),
    Topic.STOCK: frozenset({Permission.WORK_ASSIGN}),
    Topic.METROLOGY: frozenset({Permission.METROLOGY_EDIT}),
    Topic.RECALL: frozenset({Permission.RECALL_EDIT}),
    Topic.SYSTEM: frozenset({Permission.USER_ADMIN}),
}
"""Whom a topic can concern at all: who holds one of these."""

_OFFICE = dict.fromkeys(
    (Topic.OVERDUE, Topic.STOCK, Topic.TO_CLOSE, Topic.METROLOGY, Topic.RECALL), Choice.DIGEST
)
_QUIET = dict.fromkeys(Topic, Choice.APP)
DEFAULTS: dict[Role, dict[Topic, Choice]] = {
    Role.TECHNICIAN: {
        **_QUIET,
        Topic.ASSIGNED: Choice.NOW,
        Topic.DEADLINE: Choice.NOW,
        Topic.OVERDUE: Choice.DIGEST,
    },
    Role.ENGINEER: {
        **_QUIET,
        **_OFFICE,
        Topic.URGENT: Choice.NOW,
        Topic.REPORT: Choice.NOW,
        Topic.ASSIGNED: Choice.NOW,
        Topic.FINDING: Choice.NOW,
        Topic.DEADLINE: Choice.NOW,
    },
    Role.MANAGER: {**_QUIET, **_OFFICE, Topic.DEADLINE: Choice.NOW},
    Role.ADMIN: {**_QUIET, Topic.SYSTEM: Choice.NOW},
    Role.REPORTER: {**_QUIET, Topic.MY_REPORT: Choice.NOW},
}
"""What holds for somebody who has chosen nothing."""


def default_choice(role: Role | None, topic: Topic) -> Choice:
    """Return how somebody of this role hears of a topic unless they say otherwise."""
    return DEFAULTS.get(role or Role.VENDOR, _QUIET)[topic]
