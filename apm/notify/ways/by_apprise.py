"""Services that apprise sends to: the WeCom app and others with an address of its own kind.

Only services whose server is fixed by apprise itself are let in (`apm.notify.addresses`), so that
no address typed here leads into the hospital's network.
"""

from __future__ import annotations

import apprise

from apm.notify.addresses import instance_of
from apm.notify.sending import Parcel, Reason, SendFailed


def send(parcel: Parcel) -> None:
    """Send by the stored address."""
    _notify(parcel, parcel.secret["address"])


def send_wecom_app(parcel: Parcel) -> None:
    """Send to one member of a WeCom organisation, by its application."""
    if not parcel.to:
        raise SendFailed(Reason.ADDRESS)
    config, secret = parcel.config, parcel.secret
    address = f"wechat://{config['corp_id']}:{secret['corp_secret']}@{config['agent_id']}/"
    _notify(parcel, f"{address}@{parcel.to}")


def _notify(parcel: Parcel, address: str) -> None:
    found = instance_of(address)
    if found is None:
        raise SendFailed(Reason.ADDRESS)
    words = parcel.words
    body = "\n".join(part for part in (words.body, words.link) if part) or words.title
    if not found.notify(title=words.title, body=body, body_format=apprise.NotifyFormat.TEXT):
        raise SendFailed(Reason.ANSWER)  # apprise does not say more
