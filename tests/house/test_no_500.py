"""Whatever is sent, nothing breaks: no answer is 5xx, and every error has one shape."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import encode_multipart

from apm.core.permissions import Role
from tests.house.garbage import (
    BODIES,
    CURSORS,
    JSONS,
    JSONS_STORED,
    LONG,
    ODDEST,
    SCRIPT,
    STORED,
    TEXTS,
    example,
    forms_in_page,
    names_in_addresses,
    names_in_page,
    odd_for,
    operations,
)
from tests.house.noting import noted
from tests.house.world import path_of, rules
from tests.house.worlds import Worlds

NO_NUMBERS = ["x", "0", "9" * 30]
"""Where a number belongs, the router refuses all else before any code of ours sees it."""
WRONG_PARTS = ["x", "0", "9" * 30, "a\x00b", "../x", SCRIPT, "²", "长" * 300, "👩🏽‍⚕️", "%"]
LISTS = ("/assets", "/requests", "/work-orders", "/alarms", "/sensors", "/plans", "/stocktakes",
         "/parts", "/parts/orders", "/vendors", "/inbox", "/admin/audit", "/admin/channels",
         "/admin/webhooks", "/environment/excursions", "/connections", "/fleet",
         "/recalls")  # fmt: skip


CALL_SHARES, FORM_SHARES = 4, 3
"""There are too many addresses for one test: each test takes a share of them."""


FIELDS: dict[str, set[str]] = {}
"""What `fields_of` found: it looks at every page, and finds the same each time."""


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    """A hospital whose every text is a script."""
    return Worlds(SCRIPT)


@pytest.fixture
def is_served_by_postgresql(engine) -> bool:
    """There a test sends only what another database may take otherwise: SQLite had it all."""
    return engine.dialect.name == "postgresql"


@pytest.fixture
def fields(app, login, world) -> dict[str, set[str]]:
    """The fields of all forms by the rule they lead to."""
    if not FIELDS:
        FIELDS.update(fields_of(login("amy"), app, world))
    return FIELDS


def check(answer: Any, what: str) -> None:
    """An answer that is no breakdown and runs nothing that somebody typed."""
    assert answer.status_code < 500, what
    assert "elsewhere.example" not in answer.headers.get("Location", ""), what
    assert "Set-Cookie: x=1" not in str(answer.headers), what
    if answer.mimetype == "text/html":
        assert SCRIPT not in answer.text, what
    if answer.status_code >= 400 and "/api/" in what:
        assert answer.mimetype == "application/problem+json", what
        assert set(answer.json) == {"status", "code", "detail", "fields"}, what
        assert answer.json["status"] == answer.status_code


def filled_in(names: set[str], text: str) -> dict[str, Any]:
    """A form with one text in all its fields, as the browser of the tests sends it.

    `LONG` goes as forms with files do: as percent signs, taken apart one by one, it would cost
    most of the time.
    """
    fields = dict.fromkeys(names, text)
    if text != LONG:
        return {"data": fields}
    boundary, body = encode_multipart(fields)
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def fields_of(browser: Any, app: Any, world: dict[str, Any]) -> dict[str, set[str]]:
    """The fields of the forms that lead to each address, by its rule; "" has those of all."""
    found: dict[str, set[str]] = {"": set()}
    addresses = app.url_map.bind("localhost")
    for rule in rules(app, "GET"):
        page = browser.get(path_of(rule, world))
        for target, names in forms_in_page(page.text) if "html" in page.mimetype else ():
            if target and addresses.test(target, method="POST"):
                leads_to, _parts = addresses.match(target, method="POST", return_rule=True)
                found.setdefault(leads_to.rule, set()).update(names)
            found[""] |= names
    return found


def test_no_page_breaks_on_a_strange_address(app, login, world):
    browser = login("amy")
    for rule in rules(app, "GET"):
        path = path_of(rule, world)
        check(browser.get(path), path)
        parts = WRONG_PARTS if re.search(r"<(?!int:)", rule) else NO_NUMBERS
        for part in parts if "<" in rule else ():
            wrong = re.sub(r"<[^>]*>", lambda _found, part=part: quote(part, safe=""), rule)
            check(browser.get(wrong), wrong)


def test_no_page_breaks_on_strange_parameters(app, login, world, monkeypatch):
    browser = login("amy")
    names = names_in_addresses() | {"from", "to", "entity_id", "department", "location"}
    assert {"after", "q", "from", "period", "state", "department"} <= names
    for rule in rules(app, "GET"):
        path = path_of(rule, world)
        first, *others = TEXTS if rule in LISTS else ODDEST
        with noted(app, monkeypatch) as asked:
            check(browser.get(path, query_string=dict.fromkeys(names, first)), f"{path} {first!r}")
        for text in others if asked else ():  # where nobody reads it, any text is as good
            check(browser.get(path, query_string=dict.fromkeys(names, text)), f"{path} {text!r}")


@pytest.mark.database
def test_no_list_breaks_on_a_strange_cursor(login, world):
    browser = login("amy")
    for path in LISTS:
        for after in CURSORS:
            answer = browser.get(path, query_string={"after": after})
            check(answer, f"{path} after {after}")
            assert answer.status_code in {200, 422}


@pytest.mark.parametrize("path", ["/assets", "/work-orders", "/admin/audit"])
def test_no_page_breaks_on_one_strange_parameter(login, path):
    browser = login("amy")
    names = names_in_page(browser.get(path).text) | {"after", "from", "to", "entity_id"}
    assert len(names) >= 5
    for name in names:
        for text in ODDEST:
            check(browser.get(path, query_string={name: text}), f"{path} {name}={text!r}")


@pytest.mark.database
@pytest.mark.parametrize("share", range(FORM_SHARES))
def test_no_form_breaks_on_strange_fields(
    app, login, world, fields, is_served_by_postgresql, share, monkeypatch
):
    browser = login("amy")
    assert {"email", "symptom", "nonce", "number", "password", "labour_minutes"} <= fields[""]
    ours = rules(app, "POST")
    assert len(fields.keys() & set(ours)) > len(ours) / 2  # of the others all fields are tried
    for rule in ours[share::FORM_SHARES]:
        path = path_of(rule, world)
        names = fields.get(rule, fields[""])
        first, *others = STORED if is_served_by_postgresql else [*ODDEST, "", LONG]
        with noted(app, monkeypatch) as asked:
            check(browser.post(path, data=dict.fromkeys(names, first)), f"{path} {first!r}")
        for text in others if asked else ():
            check(browser.post(path, **filled_in(names, text)), f"{path} {text!r}")
        if not is_served_by_postgresql:  # no database has a part in that
            check(browser.post(path, data=b"\xff\x00", content_type="text/plain"), path)


def test_no_form_breaks_on_a_strange_file(login, world):
    browser = login("amy")
    for path in ("/assets/import", f"/a/{world['code']}"):
        for content in (b"\x00" * 100, b"PK\x03\x04" + b"\xff" * 50, b"a,b\x00\n", *BODIES):
            for field in ("file", "photos"):
                form = {field: (io.BytesIO(content), "a\x00b<script>.xlsx"), "symptom": "alarm"}
                check(browser.post(path, data=form), f"{path} {content[:20]!r}")


@pytest.mark.database
@pytest.mark.parametrize("share", range(CALL_SHARES))
def test_no_call_breaks_on_strange_values(
    app, client, bearer, world, is_served_by_postgresql, share
):
    headers = bearer(Role.ENGINEER)
    texts, values = (STORED, JSONS_STORED) if is_served_by_postgresql else (ODDEST, JSONS)
    spec = client.get("/api/v1/openapi.json").json
    known = {**world, "no": "R-2026-000001", "sensor": "S-1", "quantity": "temperature"}
    for method, path, operation in list(operations(spec))[share::CALL_SHARES]:
        url = path_of(path, world)
        query = {p["name"]: "" for p in operation.get("parameters", []) if p.get("in") == "query"}
        odd = [(name, text) for name in query for text in (CURSORS if name == "after" else texts)]
        for name, text in odd:
            check(client.get(url, query_string={name: text}, headers=headers), f"{url} {name}")
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        for body in BODIES if content and not is_served_by_postgresql else ():
            sent = client.open(
                url, method=method, data=body, headers=headers, content_type="application/json"
            )
            check(sent, f"{method} {url} {body[:20]!r}")
        good = example(content["schema"], spec, known, "") if content else {}
        for name in good if isinstance(good, dict) else ():
            for value in odd_for(good[name], values):
                data = json.dumps({**good, name: value})  # pure ASCII: half characters escaped
                sent = client.open(
                    url, method=method, data=data, headers=headers, content_type="application/json"
                )
                check(sent, f"{method} {url} {name}={value!r}")


def test_no_call_breaks_on_strange_headers(client, bearer, world):
    headers = bearer(Role.ENGINEER)
    url = f"/api/v1/assets/{world['code']}"
    for text in ("*", '"', 'W/"1", "2"', "9" * 300, "\xff", '""', "é"):
        for name in ("If-Match", "If-None-Match", "Idempotency-Key", "Content-Encoding", "Accept"):
            odd = {**headers, name: text}
            check(client.patch(url, json={"note": "x"}, headers=odd), f"{url} {name} {text!r}")
            sent = client.post("/api/v1/readings", data=b"[]", headers=odd)
            check(sent, f"/api/ {name} {text!r}")
        for name in ("Origin", "Sec-Fetch-Site", "Cookie", "Authorization", "Accept-Language"):
            answer = client.post("/sign-in", data={"email": "x"}, headers={name: text})
            check(answer, f"{name} {text!r}")
    for wrong in ("Bearer", "Bearer ", "Basic eDp4", "Bearer \xff", "x" * 5000):
        check(client.get(url, headers={"Authorization": wrong}), f"{url} {wrong[:20]!r}")


@pytest.mark.database
def test_a_reading_with_strange_values_does_not_stop_the_others(client, bearer, world):
    good = {"sensor": "S-1", "at": "2026-05-01T08:00:00Z", "value": 1.5}
    odd = [{**good, n: v} for n in ("sensor", "at", "value", "quality") for v in JSONS if v != ""]
    data = json.dumps([*odd, good])
    answer = client.post("/api/v1/readings", data=data, headers=bearer(Role.DEVICE))
    check(answer, "/api/v1/readings")
    assert answer.status_code == 200
    assert len(odd) not in {rejected["index"] for rejected in answer.json["rejected"]}
    lines = b"\n".join([*BODIES, json.dumps(good).encode()])
    options = {"content_type": "application/x-ndjson", "headers": bearer(Role.DEVICE)}
    sent = client.post("/api/v1/readings", data=lines, **options)
    assert sent.status_code == 200
    assert sent.json["duplicate"] == 1
