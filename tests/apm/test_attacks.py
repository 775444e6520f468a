"""What somebody with bad intent tries at the doors."""

import io
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from apm.accounts.commands import add_user
from apm.accounts.model import Grant, SignInSession
from apm.accounts.queries import system_actor
from apm.core.clock import utc_now
from apm.core.codes import new_token, token_digest
from apm.core.command import Context
from apm.core.errors import TooMany
from apm.core.limits import Attempt, limit
from apm.core.permissions import Role
from apm.factory import create_app
from apm.readings.commands import add_sensor
from tests.apm.hospital import make_asset
from tests.conftest import PASSWORD

GOOD = {"email": "wang@north.example", "password": PASSWORD}
ELSEWHERE = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "/\n//evil.example", "http://[", "javascript:alert(1)", "evil.example",
    "/%0d%0aSet-Cookie: x=1\r\n",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_leads_to_no_other_site(client, target):
    answer = client.post("/sign-in", query_string={"next": target}, data=GOOD)
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_a_browser_out_leads_to_no_other_site(login, as_, target):
    login("wang")
    wang = login("wang")
    first = (
        as_("wang").session.scalars(select(SignInSession.id).order_by(SignInSession.id)).first()
    )
    answer = wang.post(f"/account/sessions/{first}/revoke", data={"back": target})
    assert (answer.status_code, answer.location) == (303, "/account")


@pytest.mark.parametrize(
    "origin", ["null", "http://[", "http://localhost.evil.example", "//localhost"]
)
def test_no_strange_origin_passes_for_ours(login, origin):
    answer = login("wang").post(
        "/account/language", data={"language": "zh"}, headers={"Origin": origin}
    )
    assert answer.status_code == 403


def test_signing_in_takes_no_session_that_somebody_brought_along(client, as_):
    client.set_cookie("apm_session", "brought-along")
    client.post("/sign-in", data=GOOD)
    assert client.get_cookie("apm_session").value != "brought-along"
    known = as_("wang").session.scalars(select(SignInSession.token_hash)).all()
    assert token_digest("brought-along") not in known


@pytest.mark.database
def test_many_tries_at_once_do_not_slip_through(sessions, as_):
    actor, start = as_("wang").actor, threading.Barrier(12)
    passed, refused = [], []

    def attempt():
        with sessions() as session:
            ctx = Context(session, actor)
            start.wait()
            try:
                passed.append(limit(ctx, "test", most=3, within=timedelta(minutes=1)))
            except TooMany as error:
                refused.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) + len(refused) == 12
    assert len(passed) <= 3
    kept = select(func.count(Attempt.id)).where(Attempt.key == "test")
    assert as_("wang").session.scalar(kept) == len(passed)


def test_an_open_browser_is_no_place_to_try_passwords(login):
    wang = login("wang")
    typed = {"current": "wrong", "password": "another password"}
    for _ in range(5):
        assert wang.post("/account/password", data=typed).status_code == 422
    answer = wang.post("/account/password", data={**typed, "current": PASSWORD})
    assert answer.status_code == 422
    assert "Too many attempts" in answer.text
    assert wang.get("/account").status_code == 200  # nothing was changed


def test_a_new_password_ends_every_session_in_every_hospital(login, as_):
    wang = login("wang")
    top = Context(as_("qin").session, system_actor(as_("qin").actor.hospital_id))
    user = add_user(top, email=GOOD["email"], name="Wang", role=Role.ENGINEER, password="x" * 12)
    grant = top.session.scalars(
        select(Grant).where(Grant.user_id == user.id, Grant.hospital_id == top.actor.hospital_id)
    ).one()
    token = new_token()
    with top.writing("test"):
        top.session.add(
            SignInSession(
                token_hash=token_digest(token), grant_id=grant.id, created_at=utc_now(),
                last_seen_at=utc_now(), expires_at=utc_now() + timedelta(days=1), browser="test",
            )
        )  # fmt: skip
    elsewhere = wang.application.test_client()
    elsewhere.set_cookie("apm_session", token)
    assert elsewhere.get("/account").status_code == 200

    typed = {"current": PASSWORD, "password": "another password"}
    assert wang.post("/account/password", data=typed).status_code == 303
    assert elsewhere.get("/account").status_code == 303
    assert wang.get("/account").status_code == 303


def test_a_body_without_a_length_is_whole_or_refused(app, client, bearer, as_, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 10_000)
    make_sensor(as_("wang"))
    lines = [b'{"sensor":"T-1","at":"2026-05-01T08:00:%02dZ","value":1}' % n for n in range(60)]
    for times, status in ((1, 200), (4, 413)):
        body = b"\n".join(lines * times)
        answer = client.post(
            "/api/v1/readings",
            input_stream=io.BytesIO(body),
            environ_overrides={"wsgi.input_terminated": True},  # in chunks: nobody said how many
            headers={**bearer(Role.DEVICE), "Content-Type": "application/x-ndjson"},
        )
        assert (len(body) > 10_000, answer.status_code) == (status == 413, status)
    assert answer.json["code"] == "request_entity_too_large"


@pytest.mark.parametrize("path", ["/sign-in", "/assets/new", "/assets/import"])
def test_asking_for_the_head_of_a_form_sends_no_form(login, path):
    assert login("wang").head(path).status_code == 200


def make_sensor(ctx):
    asset = make_asset(ctx).code
    add_sensor(ctx, code="T-1", name="Room", quantity="temperature", unit="°C", asset=asset)


def through_proxy(address):
    """What a proxy on this machine says of whom it speaks for; the first was made up by them."""
    return {"X-Forwarded-For": f"127.0.0.1, {address}"}


def test_behind_a_proxy_people_are_told_apart(client):
    for n in range(60):
        typed = {"email": f"nobody{n}@north.example", "password": "wrong"}
        last = client.post("/sign-in", data=typed, headers=through_proxy("10.0.0.66"))
    assert last.status_code == 429
    assert client.post("/sign-in", data=GOOD, headers=through_proxy("10.0.0.7")).status_code == 303


def test_only_a_proxy_on_this_machine_is_believed(client):
    fake = {"headers": {"X-Forwarded-For": "127.0.0.1"}}
    stranger = {"environ_base": {"REMOTE_ADDR": "10.0.0.66"}}
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", **stranger).status_code == 404
    assert client.get("/metrics", **stranger, **fake).status_code == 404
    assert client.get("/metrics", headers=through_proxy("10.0.0.66")).status_code == 404


def test_the_counts_are_told_to_whoever_has_their_token(sessions, settings):
    app = create_app(sessions, replace(settings, metrics_token="s3cret"))
    stranger = {"REMOTE_ADDR": "10.0.0.66"}
    for token, status in (("s3cret", 200), ("s3cre", 404), ("\xff", 404), ("", 404)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = app.test_client().get("/metrics", headers=headers, environ_base=stranger)
        assert answer.status_code == status
