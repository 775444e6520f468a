"""Which module sends what."""

from __future__ import annotations

from collections.abc import Callable

from apm.notify.sending import Parcel
from apm.notify.topics import ChannelKind
from apm.notify.ways import by_apprise, mail, posting, robots, wechat

SEND: dict[ChannelKind, Callable[[Parcel], None]] = {
    ChannelKind.EMAIL: mail.send,
    ChannelKind.WECOM_ROBOT: robots.send_wecom,
    ChannelKind.WECOM_APP: by_apprise.send_wecom_app,
    ChannelKind.DINGTALK: robots.send_dingtalk,
    ChannelKind.FEISHU: robots.send_feishu,
    ChannelKind.WECHAT: wechat.send,
    ChannelKind.WEBHOOK: posting.send,
    ChannelKind.APPRISE: by_apprise.send,
}
