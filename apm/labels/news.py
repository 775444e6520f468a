"""What people are told, and how."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "topic": {
        "urgent": _l("Urgent fault reports"),
        "report": _l("New fault reports of my team"),
        "assigned": _l("Work that is given to me"),
        "to_close": _l("Work that waits for a signature"),
        "my_report": _l("What becomes of my reports"),
        "finding": _l("Findings of the detectors, and forecasts"),
        "deadline": _l("Response and repair times that run out"),
        "overdue": _l("Overdue work"),
        "stock": _l("Spare parts that run low"),
        "metrology": _l("Verification and calibration"),
        "recall": _l("Recalls and safety notices that touch our equipment"),
        "system": _l("Channels and webhooks that fail"),
    },
    "notify_choice": {
        "now": _l("At once"),
        "digest": _l("In the daily digest"),
        "app": _l("Only in the program"),
        "off": _l("Not at all"),
    },
    "channel_kind": {
        "email": _l("E-mail (SMTP)"),
        "wecom_robot": _l("WeCom group robot"),
        "wecom_app": _l("WeCom application"),
        "dingtalk": _l("DingTalk robot"),
        "feishu": _l("Feishu robot"),
        "wechat": _l("WeChat official account"),
        "webhook": _l("Webhook (JSON)"),
        "apprise": _l("Another service"),
    },
    "sending": {
        "pending": _l("Waiting"),
        "failed": _l("Failed, tried again"),
        "sent": _l("Sent"),
        "dead": _l("Given up"),
    },
    "asked_group": {
        "on_duty": _l("The team on duty"),
        "engineers": _l("All engineers"),
        "managers": _l("Managers"),
        "admins": _l("Administrators"),
        "nobody": _l("Nobody"),
    },
    "mail_security": {
        "starttls": _l("STARTTLS"),
        "tls": _l("TLS"),
        "none": _l("None (inside the hospital only)"),
    },
}
