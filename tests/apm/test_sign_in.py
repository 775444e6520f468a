"""Somebody signs in, is limited, is signed out."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from apm.accounts import passwords
from apm.accounts.model import SignInSession
from apm.core.clock import utc_now
from tests.conftest import PASSWORD

GOOD = {"email": "wang@north.example", "password": PASSWORD}


def test_the_right_password_opens_the_door(client):
    answer = client.post("/sign-in", data=GOOD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "typed",
    [{**GOOD, "password": "wrong"}, {**GOOD, "email": "nobody@north.example"}],
    ids=["wrong password", "unknown person"],
)
def test_wrong_and_unknown_look_the_same(client, typed):
    answer = client.post("/sign-in", data=typed)
    assert answer.status_code == 422
    assert b"E-mail or password is wrong" in answer.data
    assert "Set-Cookie" not in answer.headers


def test_trying_goes_on_only_so_long(client):
    for _ in range(5):
        client.post("/sign-in", data={**GOOD, "password": "wrong"})
    answer = client.post("/sign-in", data=GOOD)
    assert answer.status_code == 429
    assert b"Too many attempts" in answer.data


def test_a_real_password_costs_what_argon2_advises(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())
    stored = passwords.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_right(PASSWORD, stored)
    assert not passwords.is_right("wrong", stored)


def test_signing_in_often_is_no_offence(client):
    for _ in range(7):
        assert client.post("/sign-in", data=GOOD).status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_the_door_leads_to_our_own_pages_only(client, target):
    assert client.post(f"/sign-in?next={target}", data=GOOD).location == "/"


def test_a_visitor_is_sent_to_the_door_and_back(client):
    answer = client.get("/account?x=1")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/account?x%3D1"


def test_signing_out_ends_the_session_itself(client):
    client.post("/sign-in", data=GOOD)
    cookie = client.get_cookie("apm_session")
    client.post("/sign-out")
    client.set_cookie("apm_session", cookie.value)
    assert client.get("/account").status_code == 303


def test_a_revoked_session_is_out(login):
    stolen, own = login("wang"), login("wang")
    page = own.get("/account").get_data(as_text=True)
    assert page.count("/revoke") >= 1
    for session_id in range(1, 3):
        own.post(f"/account/sessions/{session_id}/revoke")
    assert stolen.get("/account").status_code == 303


def test_nobody_revokes_what_is_anothers(login):
    wang, qin = login("wang"), login("qin")
    assert qin.post("/account/sessions/1/revoke").status_code == 404
    assert wang.get("/account").status_code == 200


def test_a_session_ends_by_itself(login, as_):
    browser = login("wang")
    assert browser.get("/account").status_code == 200
    ctx = as_("wang")
    with ctx.writing("test"):
        for session in ctx.session.scalars(select(SignInSession)):
            session.expires_at = utc_now() - timedelta(seconds=1)
    assert browser.get("/account").status_code == 303


def test_a_form_from_another_site_is_refused(login):
    browser = login("wang")
    evil = {"Origin": "https://evil.example"}
    assert browser.post("/sign-out", headers=evil).status_code == 403
    assert browser.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    del browser.environ_base["HTTP_ORIGIN"]
    assert browser.post("/account/language", data={"language": "zh"}).status_code == 403
