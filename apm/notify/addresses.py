"""Reading what people paste: a robot's address from its console, or an apprise address."""

from __future__ import annotations

import logging

import apprise
from apprise import AppriseAsset, NotifyBase, PersistentStoreMode

from apm.notify.topics import ChannelKind

logging.getLogger("apprise").disabled = True  # it logs addresses, and those are secrets
FIXED = frozenset({"wechat", "schan", "pushplus", "lark", "slack", "tgram", "wxpusher", "pushme"})
"""apprise's names of services that live on one server, which apprise itself knows."""
ROBOTS = {
    ChannelKind.WECOM_ROBOT: ("wecombot", "key"),
    ChannelKind.DINGTALK: ("dingtalk", "token"),
    ChannelKind.FEISHU: ("feishu", "token"),
}
CONSOLE = {
    ChannelKind.WECOM_ROBOT: ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "wecombot"),
    ChannelKind.DINGTALK: ("https://oapi.dingtalk.com/robot/send?access_token=", "dingtalk"),
    ChannelKind.FEISHU: ("https://open.feishu.cn/open-apis/bot/v2/hook/", "feishu"),
}
"""What the services' own pages give one to copy."""


def instance_of(address: str) -> NotifyBase | None:
    """Return what apprise makes of an address, keeping nothing on disk; None if it is no good."""
    asset = AppriseAsset(
        app_id="apm", app_desc="apm", storage_mode=PersistentStoreMode.MEMORY, plugin_paths=[]
    )
    found = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None


def robot_secret(kind: ChannelKind, pasted: str) -> dict[str, str] | None:
    """Return a robot's token, and the key it signs with if the address has one."""
    start, scheme = CONSOLE[kind]
    text = pasted.strip()
    if text.startswith(start):
        text = f"{scheme}://{text.removeprefix(start).rstrip('/')}"
    if "://" not in text:
        text = f"{scheme}://{text}"
    found = instance_of(text) if text.partition("://")[0] == scheme else None
    if found is None:
        return None
    secret = {"token": str(getattr(found, ROBOTS[kind][1]))}
    if sign := getattr(found, "secret", None):
        secret["sign"] = str(sign)
    return secret


def service_of(pasted: str) -> str | None:
    """Return the name of the service an apprise address leads to; None unless it is let in."""
    scheme = pasted.strip().partition("://")[0].lower()
    found = instance_of(pasted.strip()) if scheme in FIXED else None
    return str(found.service_name) if found is not None else None
