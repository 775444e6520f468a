"""WeChat official account: a template message to one follower."""

from __future__ import annotations

import hashlib
import time
from threading import Lock
from typing import Any

from apm.notify.outside import post_json
from apm.notify.sending import Parcel, Reason, SendFailed
from apm.notify.ways.robots import refuse_unless_ok

OFFICIAL = "https://api.weixin.qq.com"
EXPIRED = frozenset({40001, 40014, 42001})
UNKNOWN_RECEIVER = frozenset({40003, 43004})
"""no such open id; the person does not follow the account"""
LONGEST_THING = 20
"""Characters that a field of the kind `thing` takes."""
MARGIN_S = 300

_tokens: dict[str, tuple[str, float]] = {}
"""Access token and when it ends, by the digest of account and secret; in this process only."""
_lock = Lock()


def send(parcel: Parcel) -> None:
    """Send the template message, with a fresh access token if the one we had has expired."""
    if not parcel.to:
        raise SendFailed(Reason.ADDRESS)
    answer = _send(parcel, _token(parcel))
    if answer.get("errcode") in EXPIRED:
        _forget(parcel)
        answer = _send(parcel, _token(parcel))
    if answer.get("errcode") in UNKNOWN_RECEIVER:
        raise SendFailed(Reason.RECEIVER, f"errcode {answer['errcode']}")
    refuse_unless_ok(answer, parcel.secret, "errcode", "errmsg")


def _send(parcel: Parcel, token: str) -> dict[str, Any]:
    words, config = parcel.words, parcel.config
    body = {
        "touser": parcel.to,
        "template_id": config["template_id"],
        "url": words.link,
        "client_msg_id": parcel.delivery[:32],  # WeChat drops a repeat of it by itself
        "data": {config.get("field") or "thing1": {"value": words.title[:LONGEST_THING]}},
    }
    url = f"{_base(parcel)}/cgi-bin/message/template/send?access_token={token}"
    return post_json(url, body, reach=parcel.reach).json()


def _base(parcel: Parcel) -> str:
    return (parcel.config.get("base_url") or OFFICIAL).rstrip("/")


def _name(parcel: Parcel) -> str:
    whole = f"{_base(parcel)}\n{parcel.config['app_id']}\n{parcel.secret['app_secret']}"
    return hashlib.sha256(whole.encode()).hexdigest()


def _token(parcel: Parcel) -> str:
    name = _name(parcel)
    with _lock:
        known = _tokens.get(name)
    if known and known[1] > time.monotonic():
        return known[0]
    # The stable token is the same for all who ask; the older call would end the others' tokens.
    answer = post_json(
        f"{_base(parcel)}/cgi-bin/stable_token",
        {
            "grant_type": "client_credential",
            "appid": parcel.config["app_id"],
            "secret": parcel.secret["app_secret"],
        },
        reach=parcel.reach,
    ).json()
    token = answer.get("access_token")
    if not isinstance(token, str):
        raise SendFailed(Reason.LOGIN, f"errcode {answer.get('errcode')}")
    lasts = float(answer.get("expires_in") or 0) - MARGIN_S
    with _lock:
        _tokens[name] = (token, time.monotonic() + lasts)
    return token


def _forget(parcel: Parcel) -> None:
    with _lock:
        _tokens.pop(_name(parcel), None)
