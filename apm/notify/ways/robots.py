"""Group robots of WeCom, DingTalk and Feishu.

All three answer a refused message with HTTP 200 and a code in the body, which apprise 2.2 does
not read: it would count a message to a deleted robot as sent.  So apprise reads their addresses
(`apm.notify.addresses`) and we send, and read the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import quote_plus

from apm.notify.outside import post_json
from apm.notify.sending import Parcel, Reason, SendFailed, cleaned

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}"
DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token={}"
FEISHU = "https://open.feishu.cn/open-apis/bot/v2/hook/{}"


def send_wecom(parcel: Parcel) -> None:
    """Post into a WeCom group."""
    body = {"msgtype": "text", "text": {"content": parcel.words.text}}
    _post(WECOM.format(parcel.secret["token"]), body, parcel, "errcode", "errmsg")


def send_dingtalk(parcel: Parcel) -> None:
    """Post into a DingTalk group; signed if the robot asks for that."""
    url = DINGTALK.format(parcel.secret["token"])
    if key := parcel.secret.get("sign"):
        at = round(time.time() * 1000)
        sign = quote_plus(_hmac(key, f"{at}\n{key}"))
        url += f"&timestamp={at}&sign={sign}"
    body = {"msgtype": "text", "text": {"content": parcel.words.text}}
    _post(url, body, parcel, "errcode", "errmsg")


def send_feishu(parcel: Parcel) -> None:
    """Post into a Feishu group; signed if the robot asks for that."""
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": parcel.words.text}}
    if key := parcel.secret.get("sign"):
        at = str(round(time.time()))
        # Feishu signs an empty text with time and key as the key (its document says so).
        body |= {"timestamp": at, "sign": _hmac(f"{at}\n{key}", "")}
    _post(FEISHU.format(parcel.secret["token"]), body, parcel, "code", "msg")


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


def _post(url: str, body: Any, parcel: Parcel, code_name: str, text_name: str) -> None:
    base = parcel.config.get("base_url")  # a private installation, or the tests' server
    if base:
        url = base.rstrip("/") + "/" + url.split("/", 3)[3]
    answer = post_json(url, body, reach=parcel.reach).json()
    refuse_unless_ok(answer, parcel.secret, code_name, text_name)


def refuse_unless_ok(
    answer: dict[str, Any], secret: dict[str, str], code_name: str, text_name: str
) -> None:
    """Raise `SendFailed` when the code within an answer says so."""
    code = answer.get(code_name)
    if code != 0:
        said = cleaned(str(answer.get(text_name, "")), secret)
        raise SendFailed(Reason.ANSWER, f"{code_name} {code} {said}".strip())
