"""Template messages of a WeChat official account, against a server that speaks as WeChat does."""

from dataclasses import replace

import pytest

from apm.notify.sending import Parcel, Reason, SendFailed, Words
from apm.notify.ways import wechat
from tests.apm.servers import web_server

SECRET = "app-secret-0123456789"
WORDS = Words(
    "Urgent fault report R-2026-000001", "Ventilator · ICU", "https://apm.example/inbox/1"
)


class Official:
    """Gives tokens out and takes messages; an expired token is refused."""

    def __init__(self, web):
        self.web, self.tokens, self.sent, self.known = web, 0, [], {"openid-wang"}
        web.answer = self

    def __call__(self, seen):
        if seen.path == "/cgi-bin/stable_token":
            if seen.json["secret"] != SECRET:
                return 200, {
                    "errcode": 40125,
                    "errmsg": f"invalid appsecret {seen.json['secret']}",
                }
            self.tokens += 1
            return 200, {"access_token": f"token-{self.tokens}", "expires_in": 7200}
        if seen.path != f"/cgi-bin/message/template/send?access_token=token-{self.tokens}":
            return 200, {"errcode": 42001, "errmsg": "access_token expired"}
        if seen.json["touser"] not in self.known:
            return 200, {"errcode": 43004, "errmsg": "require subscribe"}
        self.sent.append(seen.json)
        return 200, {"errcode": 0, "errmsg": "ok", "msgid": 1}


@pytest.fixture
def official():
    with web_server() as web:
        yield Official(web)


@pytest.fixture
def parcel(official):
    return Parcel(
        delivery="4f0c2f9e-0000-5000-8000-000000000001",
        words=WORDS,
        to="openid-wang",
        config={"app_id": "wx1", "template_id": "T-1", "base_url": official.web.url},
        secret={"app_secret": SECRET},
        reach="all",
    )


def test_a_message_goes_to_the_follower_with_its_link(official, parcel):
    wechat.send(parcel)
    [sent] = official.sent
    assert (sent["touser"], sent["template_id"]) == ("openid-wang", "T-1")
    assert sent["url"] == WORDS.link
    assert len(sent["data"]["thing1"]["value"]) <= 20  # WeChat refuses a longer one


def test_the_token_is_asked_for_once_and_again_when_it_has_expired(official, parcel):
    wechat.send(parcel)
    wechat.send(parcel)
    assert official.tokens == 1
    official.tokens = 7  # WeChat gave another one to somebody: ours is refused from now on
    wechat.send(parcel)
    assert official.tokens == 8
    assert len(official.sent) == 3


def test_who_does_not_follow_is_not_the_accounts_fault(official, parcel):
    with pytest.raises(SendFailed) as failed:
        wechat.send(replace(parcel, to="openid-stranger"))
    assert (failed.value.reason, failed.value.permanent) == (Reason.RECEIVER, True)


def test_a_wrong_secret_is_said_without_the_secret(official, parcel):
    with pytest.raises(SendFailed) as failed:
        wechat.send(replace(parcel, secret={"app_secret": "wrong-secret-987654"}))
    assert failed.value.stored == "login:errcode 40125"
    assert "wrong-secret" not in repr(parcel)


def test_what_a_server_answers_that_is_no_wechat(official, parcel):
    official.web.answer = lambda _seen: (200, b"<html>captive portal</html>")
    with pytest.raises(SendFailed) as failed:
        wechat.send(replace(parcel, config={**parcel.config, "app_id": "wx2"}))
    assert failed.value.reason is Reason.ANSWER


def test_a_wecom_app_goes_by_apprise_and_to_one_person_alone(monkeypatch):
    """apprise knows the service's address: it is pointed at a server of ours for this test."""
    from apprise.plugins.wechat import NotifyWeChat

    from apm.notify.ways import by_apprise

    with web_server() as web:
        monkeypatch.setattr(NotifyWeChat, "token_url", web.url + "/cgi-bin/gettoken")
        monkeypatch.setattr(NotifyWeChat, "notify_url", web.url + "/cgi-bin/message/send")
        refused = []
        web.answer = lambda seen: (
            200,
            {"errcode": 0, "access_token": "t", "expires_in": 7200}
            if "gettoken" in seen.path
            else {"errcode": 81013 if refused else 0},
        )
        parcel = Parcel(
            delivery="x",
            words=WORDS,
            to="WangLei",
            config={"corp_id": "ww1", "agent_id": "1000002"},
            secret={"corp_secret": "corp-secret-1"},
            reach="all",
        )
        by_apprise.send_wecom_app(parcel)
        sent = web.seen[-1].json
        assert sent["touser"] == "WangLei"
        assert WORDS.link in str(sent)
        refused.append(True)
        with pytest.raises(SendFailed):
            by_apprise.send_wecom_app(parcel)
