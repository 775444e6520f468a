"""The same POST sent again is answered again, and done once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.core.audit import AuditEntry

BODY = {"number": "V-1", "name": "Ventilator", "category": "VENT"}
URL = "/api/v1/assets"

pytestmark = pytest.mark.database


def assets(as_):
    return as_("wang").session.scalar(select(func.count(Asset.id)))


def test_the_first_answer_comes_again(client, bearer, as_):
    headers = {**bearer(), "Idempotency-Key": "one"}
    first = client.post(URL, json=BODY, headers=headers)
    again = client.post(URL, json=BODY, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    assert assets(as_) == 1


def test_the_same_key_with_another_body_is_refused(client, bearer, as_):
    headers = {**bearer(), "Idempotency-Key": "one"}
    client.post(URL, json=BODY, headers=headers)
    answer = client.post(URL, json={**BODY, "number": "V-2"}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "key_reused")
    assert assets(as_) == 1


def test_a_refused_request_keeps_no_answer(client, bearer, as_):
    headers = {**bearer(), "Idempotency-Key": "one"}
    wrong = client.post(URL, json={"name": "No number"}, headers=headers)
    assert wrong.status_code == 422
    assert client.post(URL, json=BODY, headers=headers).status_code == 201
    assert assets(as_) == 1


def test_keys_of_two_programs_do_not_meet(client, bearer, as_):
    for who, headers in (("amy", bearer()), ("qin", bearer(who="qin"))):
        answer = client.post(URL, json=BODY, headers={**headers, "Idempotency-Key": "one"})
        assert answer.status_code == 201, who
    assert assets(as_) == 1


def test_two_at_once_do_it_once(app, bearer, as_):
    headers = {**bearer(), "Idempotency-Key": "race"}

    def send(_):
        return app.test_client().post(URL, json=BODY, headers=headers)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["code"] for answer in answers}) == 1
    assert assets(as_) == 1


def test_the_trail_names_the_command_not_the_wrapping(client, bearer, as_):
    client.post(URL, json=BODY, headers={**bearer(), "Idempotency-Key": "one"})
    entry = as_("wang").session.scalars(select(AuditEntry).where(AuditEntry.entity == "Asset"))
    assert [e.command for e in entry] == ["asset.create"]


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_must_have_a_sensible_length(client, bearer, key):
    answer = client.post(URL, json=BODY, headers={**bearer(), "Idempotency-Key": key})
    assert answer.status_code == 422
