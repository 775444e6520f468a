"""The pages of channels: secrets go in and never come out; a test says how it went."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from apm.accounts.commands import add_user
from apm.accounts.queries import system_actor
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.permissions import Role
from apm.core.sealing import unseal
from apm.notify.model import Channel
from tests.apm.servers import mail_server, web_server
from tests.apm.test_notify_delivery import tell
from tests.conftest import CAST, PASSWORD
from tests.queries import count_queries

SECRET = "a-long-mail-password-42"
MAIL = {
    "kind": "email", "name": "Mail", "host": "mail.hospital.example", "security": "starttls",
    "sender": "apm@hospital.example", "user": "apm", "password": SECRET,
}  # fmt: skip


@pytest.fixture
def add(login, as_):
    def make(**form):
        answer = login("amy").post("/admin/channels/new", data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        with as_("amy").session as session:
            return session.scalars(select(Channel).order_by(Channel.id.desc())).first()

    return make


def secret_of(as_, channel):
    kept = as_("amy").session.get(Channel, channel.id, populate_existing=True)
    return unseal("only for tests", kept.secret)


def test_a_secret_goes_in_and_never_comes_out(add, login, as_):
    channel = add(**MAIL)
    amy = login("amy")
    pages = [amy.get(path).get_data(as_text=True) for path in
             (f"/admin/channels/{channel.id}", "/admin/channels", "/admin/audit")]  # fmt: skip
    trail = str([row.changes for row in as_("amy").session.scalars(select(AuditEntry))])
    for text in (*pages, trail, channel.secret, str(channel.config)):
        assert SECRET not in text
    assert "d-42" in pages[0]
    assert secret_of(as_, channel) == {"password": SECRET}


def test_what_is_left_empty_is_kept(add, login, as_):
    channel = add(**MAIL)
    changed = {**MAIL, "name": "Other", "password": ""}
    assert login("amy").post(f"/admin/channels/{channel.id}", data=changed).status_code == 303
    assert secret_of(as_, channel) == {"password": SECRET}
    robot = add(kind="dingtalk", name="Robot", address="dingtalk://SECabc@abcabcabcabc")
    again = {"kind": "dingtalk", "name": "Robot", "address": "", "sign": "SECnew"}
    assert login("amy").post(f"/admin/channels/{robot.id}", data=again).status_code == 303
    assert secret_of(as_, robot) == {"token": "abcabcabcabc", "sign": "SECnew"}


@pytest.mark.parametrize(
    "form",
    [
        {**MAIL, "host": "mail server"},
        {**MAIL, "port": "70000"},
        {**MAIL, "sender": "nobody"},
        {**MAIL, "security": "maybe"},
        {**MAIL, "name": ""},
        {"kind": "feishu", "name": "x", "address": "https://elsewhere.example/hook/abc"},
        {"kind": "wecom_robot", "name": "x", "address": "file:///etc/passwd"},
        {"kind": "webhook", "name": "x", "url": "ftp://files.example"},
        {"kind": "webhook", "name": "x", "url": "https://user:pass@hooks.example"},
        {"kind": "apprise", "name": "x", "address": "json://10.0.0.5/"},
        {"kind": "apprise", "name": "x", "address": "pushdeer://10.0.0.5/key"},
        {"kind": "wechat", "name": "x", "app_id": "wx 1", "app_secret": "s", "template_id": "t"},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_beside_its_field(login, as_, form):
    answer = login("amy").post("/admin/channels/new", data=form)
    assert answer.status_code == 422
    assert "Please correct the marked fields" in answer.get_data(as_text=True)
    assert as_("amy").session.scalars(select(Channel)).all() == []


def flash_of(browser, path):
    return browser.get(path).get_data(as_text=True)


def test_a_test_says_how_it_went(add, login, as_, app, settings):
    with web_server() as web:
        channel = add(kind="webhook", name="Hook", url=web.url)
        amy, path = login("amy"), f"/admin/channels/{channel.id}"
        amy.post(f"{path}/test")
        assert "The test failed. This address may not be reached" in flash_of(amy, path)
        app.config["APM_SETTINGS"] = replace(settings, allow_private_targets="all")
        web.answer = lambda _seen: (403, {})
        amy.post(f"{path}/test")
        assert "HTTP 403" in flash_of(amy, path)
        web.answer = lambda _seen: (200, {})
        amy.post(f"{path}/test")
        assert "The test message is sent" in flash_of(amy, path)
        assert web.seen[-1].json["title"] == "A test message from apm"
    with mail_server() as mail:
        form = {
            **MAIL,
            "host": "127.0.0.1",
            "port": str(mail.port),
            "security": "none",
            "user": "",
        }
        channel = add(**form)
        login("amy").post(f"/admin/channels/{channel.id}/test")
        assert [message["To"] for message in mail.received] == ["amy@north.example"]


def test_only_administrators_of_the_hospital_get_in(add, login, as_, monkeypatch):
    channel = add(**MAIL)
    system = Context(as_("qin").session, system_actor(as_("qin").actor.hospital_id))
    add_user(system, email="sam@south.example", name="Sam", role=Role.ADMIN, password=PASSWORD)
    monkeypatch.setitem(CAST, "sam", ("SOUTH", Role.ADMIN, "Sam", None))
    assert "Mail" not in login("sam").get("/admin/channels").get_data(as_text=True)
    for path in ("", "/test", "/switch", "/remove"):
        assert login("wang").post(f"/admin/channels/{channel.id}{path}").status_code == 403
        assert login("sam").post(f"/admin/channels/{channel.id}{path}").status_code == 404
    assert as_("amy").session.get(Channel, channel.id).is_active


def test_pages_ask_as_much_for_many_as_for_one(add, login, as_, engine):
    counts = []
    for first in (1, 20):
        for number in range(first, first * 3):
            tell(as_, "wang", event_id=number + 100)
            add(**{**MAIL, "name": f"Mail {number}"})
        for who, path in (("wang", "/inbox"), ("amy", "/admin/channels")):
            browser = login(who)
            with count_queries(engine) as sent:
                assert browser.get(path).status_code == 200
            counts.append(len(sent))
    assert counts[:2] == counts[2:]
