"""Programs read what the API can do from its description."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from apm.core.db import make_engine, make_sessions
from apm.core.settings import Settings
from apm.factory import create_app

ADDRESS = "/api/v1/openapi.json"


def test_every_call_is_described(app, client):
    rules = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0].endswith("_api")
    }

    described = client.get(ADDRESS).json["paths"]

    assert len(rules) > 100
    assert set(described) == {re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule) for rule in rules}


def test_the_first_two_to_ask_at_once_read_the_same():
    sessions = make_sessions(make_engine("sqlite://"))
    fresh = create_app(sessions, Settings("sqlite://", "only for tests", "http://x", Path()))

    with ThreadPoolExecutor(2) as two:
        one, other = two.map(lambda _: fresh.test_client().get(ADDRESS).text, range(2))

    assert one == other
    assert "/api/v1/readings" in one
