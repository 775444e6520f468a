"""Rooms and excursions for programs."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from apm.core.clock import utc_now
from apm.core.permissions import Role
from apm.environment import listing
from apm.environment.reporting import begin_report
from apm.readings.commands import add_sensor, ingest
from predict.climate import mean_kinetic_temperature
from tests.apm.hospital import make_asset
from tests.queries import count_queries

pytestmark = pytest.mark.database
STEP = timedelta(minutes=10)
NOW = utc_now()
"""When the test that runs began, to the minute: readings of its own age."""
WARM = [4.0] * 150 + [7.0, 8.5, 9.0, 8.0, 7.0, 6.5] + [4.0] * 12 + [6.5, 7.5]


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """Not when the module was read: that may be an hour ago."""
    monkeypatch.setitem(globals(), "NOW", utc_now().replace(second=0, microsecond=0))


def send(ctx, code, values):
    first = NOW - STEP * (len(values) - 1)
    rows = [{"sensor": code, "at": first + STEP * k, "value": v} for k, v in enumerate(values)]
    assert ingest(ctx, rows).accepted == len(values)


def blood(ctx, code, place, values=(4.0,) * 20):
    """A refrigerator in a place; readings inside its limits unless said otherwise."""
    asset = make_asset(ctx, "FRIDGE", name="Blood fridge", location=place)
    facts = {"name": code, "quantity": "temperature", "unit": "°C", "profile": "blood_rbc"}
    add_sensor(ctx, code=code, asset=asset.code, **facts)
    send(ctx, code, list(values))
    return asset


def test_rooms_and_their_excursions(as_, client, bearer):
    wang = as_("wang")
    fridge = blood(wang, "BF", "Blood store", WARM)
    blood(wang, "QUIET", "Ward 1")
    blood(as_("qin"), "SOUTH", "South store", WARM)
    make_asset(wang, location="Nothing is measured here")
    headers = bearer(Role.TECHNICIAN)

    first = client.get("/api/v1/rooms?limit=1", headers=headers).json
    rest = client.get(f"/api/v1/rooms?after={first['next']}", headers=headers).json
    found = {room["name"]: room for room in [*first["items"], *rest["items"]]}
    assert found.keys() == {"Blood store", "Ward 1"}
    assert rest["next"] is None
    room = found["Blood store"]
    [sensor] = room["sensors"]
    assert (room["state"], sensor["state"], sensor["value"]) == ("pending", "pending", 7.5)
    assert (sensor["limits"]["low"], sensor["limits"]["high"]) == (2.0, 6.0)
    assert sensor["asset"] == fridge.code
    assert found["Ward 1"]["state"] == "normal"
    for name in (room["code"], room["code"].lower(), room["id"]):
        assert client.get(f"/api/v1/rooms/{name}", headers=headers).json["code"] == room["code"]
    assert client.get("/api/v1/rooms/NOWHERE", headers=headers).status_code == 404

    answer = client.get(f"/api/v1/excursions?room={room['code']}", headers=headers)
    ended, ongoing = answer.json["items"]
    assert (ended["state"], ongoing["state"]) == ("ended", "ongoing")
    assert (ended["min"], ended["max"], ended["minutes"], ended["n"]) == (6.5, 9.0, 60.0, 6)
    window = WARM[12:157]  # the 24 hours that end with the first reading back inside
    assert ended["mkt"] == pytest.approx(mean_kinetic_temperature(np.array(window)), abs=0.02)
    assert (ended["room"], ended["report"], ended["signed"]) == (room["code"], None, False)
    began = NOW - STEP * (len(WARM) - 151)
    report = begin_report(as_("wang"), sensor="BF", began=began)
    again = client.get("/api/v1/excursions", headers=headers).json
    assert [item["report"] for item in again["items"]] == [report.id, None]


def test_excursions_come_in_pages_that_end(as_, client, bearer, engine, monkeypatch):
    monkeypatch.setattr(listing, "AT_ONCE", 2)
    wang = as_("wang")
    for n in range(5):
        blood(wang, f"F{n}", f"Room {n}", WARM if n % 2 == 0 else (4.0,) * 20)
    headers = bearer(Role.TECHNICIAN)

    seen, after = [], ""
    while after is not None:
        with count_queries(engine) as sent:
            page = client.get(f"/api/v1/excursions?limit=1&after={after}", headers=headers).json
        assert len(sent) < 25
        assert len(page["items"]) <= 1
        seen += [(item["sensor"], item["state"]) for item in page["items"]]
        after = page["next"]
    assert seen == [(f"F{n}", state) for n in (0, 2, 4) for state in ("ended", "ongoing")]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z",
        "from=yesterday",
        "after=nonsense",
        "limit=501",
    ],
)
def test_a_period_or_page_that_cannot_be_is_refused(client, bearer, query):
    answer = client.get(f"/api/v1/excursions?{query}", headers=bearer(Role.TECHNICIAN))
    assert answer.status_code == 422
    assert answer.json["fields"]
