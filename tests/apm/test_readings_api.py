"""Programs send readings and ask for them over the JSON API."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from apm.assets.commands import create_asset
from apm.core.permissions import Role
from apm.readings.body import MOST_BYTES, MOST_READINGS
from apm.readings.commands import add_sensor, ingest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POST = "/api/v1/readings"
LINES = {"Content-Type": "application/x-ndjson"}


def row(minutes=0, value=4.0, sensor="F-1"):
    return {
        "sensor": sensor,
        "at": (NOON + timedelta(minutes=minutes)).isoformat(),
        "value": value,
    }


@pytest.fixture
def fridge(as_):
    """A fridge of North on an asset; South's has the same code."""
    for who in ("qin", "wang"):
        ctx = as_(who)
        asset = create_asset(ctx, number="N-1", name="Blood fridge", category="OTHER")
        sensor = add_sensor(
            ctx,
            code="F-1",
            name="Fridge",
            quantity="temperature",
            unit="°C",
            asset=asset.code,
            location="Blood bank",
        )
    ingest(as_("qin"), [row(value=99.0)])
    return sensor


@pytest.fixture
def device(bearer, fridge):
    return bearer(Role.DEVICE)


@pytest.fixture
def engineer(bearer, fridge):
    return bearer(Role.ENGINEER)


def read(client, headers, **query):
    answer = client.get(
        "/api/v1/sensors/F-1/readings",
        headers=headers,
        query_string={"from": (NOON - timedelta(days=1)).isoformat(), **query},
    )
    assert answer.status_code == 200, answer.text
    return answer.json


class TestSending:
    def test_a_device_sends_an_array(self, client, device, engineer):
        sent = [row(), row(1, "warm"), row(2, 5), row(), row(3, sensor="F-9")]
        answer = client.post(POST, json=sent, headers=device)

        assert answer.status_code == 200
        assert (answer.json["accepted"], answer.json["duplicate"]) == (2, 1)
        rejected = [(r["index"], r["code"]) for r in answer.json["rejected"]]
        assert rejected == [(1, "not_a_number"), (4, "unknown_sensor")]
        assert all(r["detail"] for r in answer.json["rejected"])
        assert read(client, engineer)["value"] == [4.0, 5.0]

    def test_lines_with_a_broken_one(self, client, device):
        body = "\n".join([json.dumps(row()), "{", "", json.dumps(row(1)), "NaN", "[" * 100_000])
        answer = client.post(POST, data=body, headers={**device, **LINES})
        assert answer.json["accepted"] == 2
        rejected = [(r["index"], r["code"]) for r in answer.json["rejected"]]
        assert rejected == [(1, "not_json"), (3, "not_a_reading"), (4, "not_json")]

    @pytest.mark.parametrize("parts", [1, 3])
    def test_gzip_in_one_or_more_members(self, client, device, parts):
        lines = [json.dumps(row(k)).encode() + b"\n" for k in range(9)]
        step = len(lines) // parts
        packed = b"".join(
            gzip.compress(b"".join(lines[k : k + step])) for k in range(0, len(lines), step)
        )
        headers = {**device, **LINES, "Content-Encoding": "gzip"}
        answer = client.post(POST, data=packed, headers=headers)
        assert answer.json == {"accepted": 9, "duplicate": 0, "rejected": []}

    def test_a_bomb_is_refused(self, client, device, engineer):
        bomb = gzip.compress(json.dumps([row()]).encode() + b" " * MOST_BYTES)
        assert len(bomb) < 100_000
        headers = {**device, "Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = client.post(POST, data=bomb, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (413, "too_large")
        assert read(client, engineer)["value"] == []

    @pytest.mark.parametrize(
        ("body", "headers", "status", "code"),
        [
            (b"{}", {}, 422, "not_json"),
            (b"[", {}, 422, "not_json"),
            (b"", {}, 422, "not_json"),
            (b"\xff\xfe[]", {}, 422, "not_json"),
            (b"[" * 100_000, {}, 422, "not_json"),
            (b"[]", {"Content-Encoding": "gzip"}, 422, "bad_gzip"),
            (gzip.compress(b"[]", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 422, "bad_gzip"),
            (gzip.compress(b"") * 2000, {"Content-Encoding": "gzip"}, 422, "bad_gzip"),
            (b"[]", {"Content-Encoding": "br"}, 415, "unsupported_type"),
        ],
    )
    def test_what_is_no_list_of_readings_is_refused(
        self, client, device, body, headers, status, code
    ):
        answer = client.post(POST, data=body, headers={**device, **headers})
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert answer.json["detail"]

    def test_more_than_a_hundred_thousand_are_refused_with_the_remedy(self, client, device):
        body = "1\n" * (MOST_READINGS + 1)
        answer = client.post(POST, data=body, headers={**device, **LINES})
        assert (answer.status_code, answer.json["code"]) == (413, "too_many_readings")
        assert "100,000" in answer.json["detail"]

    def test_the_same_call_again_answers_the_same(self, client, device, engineer):
        headers = {**device, "Idempotency-Key": "k-1"}
        first = client.post(POST, json=[row()], headers=headers)
        again = client.post(POST, json=[row()], headers=headers)
        assert first.json == again.json == {"accepted": 1, "duplicate": 0, "rejected": []}
        other = client.post(POST, json=[row(1)], headers=headers)
        assert other.status_code == 409
        assert read(client, engineer)["value"] == [4.0]

    def test_a_device_may_only_send(self, client, device):
        for path in ("/sensors", "/sensors/F-1/readings", "/alarms", "/assets"):
            assert client.get(f"/api/v1{path}", headers=device).status_code == 403
        assert client.post("/api/v1/sensors", json={}, headers=device).status_code in {403, 422}

    def test_a_reporter_and_a_stranger_may_not_send(self, client, bearer, fridge):
        nurse = bearer(Role.REPORTER)
        assert client.post(POST, json=[row()], headers=nurse).status_code == 403
        assert client.post(POST, json=[row()]).status_code == 401


class TestSeries:
    @pytest.fixture
    def filled(self, client, device):
        """Two days, a reading a minute: its value is the minute of the day."""
        rows = [row(k - 720, (k % 1440)) for k in range(2880)]
        assert client.post(POST, json=rows, headers=device).json["accepted"] == 2880

    def test_raw_by_the_hour_and_by_the_day(self, client, engineer, filled):
        start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
        period = {"from": start.isoformat(), "to": end.isoformat()}

        raw = read(client, engineer, **period, resolution="raw")
        assert (len(raw["at"]), raw["resolution_s"]) == (2880, None)
        assert "min" not in raw
        assert datetime.fromisoformat(raw["at"][0]) == start

        hour = read(client, engineer, **period, resolution="hour")
        assert hour["resolution_s"] == 3600
        assert (hour["value"][1], hour["min"][1], hour["max"][1]) == (89.5, 60, 119)
        assert hour["n"] == [60] * 48

        day = read(client, engineer, **period, resolution="day")
        assert (day["value"], day["n"]) == ([719.5, 719.5], [1440, 1440])

        auto = read(client, engineer, **period)
        assert auto["resolution_s"] == 120
        assert len(auto["at"]) == 1440
        short = read(
            client, engineer, **{**period, "to": (start + timedelta(hours=3)).isoformat()}
        )
        assert short["resolution_s"] is None or len(short["at"]) == 180

    def test_the_period_is_half_open(self, client, engineer, filled):
        start = datetime(2026, 1, 1, 6, 30, tzinfo=UTC)
        period = {"from": start.isoformat(), "to": (start + timedelta(minutes=2)).isoformat()}
        assert read(client, engineer, **period, resolution="raw")["value"] == [390, 391]

    def test_a_plus_that_became_a_space_is_understood(self, client, engineer, filled):
        url = "/api/v1/sensors/F-1/readings?from=2026-01-01T08:00:00+08:00&to=2026-01-01T00:02:00Z"
        assert client.get(url, headers=engineer).json["value"] == [0, 1]

    @pytest.mark.parametrize(
        "query",
        [
            {"from": "2026-01-01T00:00:00"},
            {"from": "yesterday"},
            {"resolution": "second"},
            {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
            {"from": "1900-01-01T00:00:00Z"},
        ],
    )
    def test_a_senseless_period_is_refused(self, client, engineer, query):
        url = "/api/v1/sensors/F-1/readings"
        answer = client.get(url, headers=engineer, query_string=query)
        assert answer.status_code == 422
        assert answer.json["fields"]

    def test_another_hospital_has_its_own(self, client, engineer, filled, bearer):
        south = bearer(Role.ENGINEER, who="qin")
        assert read(client, south)["value"] == [99.0]
        add = {"code": "ONLY-NORTH", "name": "X", "quantity": "other", "unit": "1"}
        client.post("/api/v1/sensors", json={**add, "location": "Attic"}, headers=engineer)
        url = "/api/v1/sensors/ONLY-NORTH/readings"
        assert client.get(url, headers=south).status_code == 404


class TestSensors:
    NEW = {"code": "CT-1", "name": "CT room", "quantity": "temperature", "unit": "°C"}

    def test_one_is_added_and_listed(self, client, engineer, fridge):
        new = {**self.NEW, "location": "CT 1", "profile": "imaging_room"}
        made = client.post("/api/v1/sensors", json=new, headers=engineer)
        assert made.status_code == 201
        assert made.json["location"] == "CT 1"
        assert made.json["asset"] is None
        assert made.json["profile"] == "imaging_room"

        first = client.get("/api/v1/sensors?limit=1", headers=engineer).json
        rest = client.get(f"/api/v1/sensors?after={first['next']}", headers=engineer).json
        assert [s["code"] for s in first["items"] + rest["items"]] == ["CT-1", "F-1"]
        assert rest["next"] is None
        assert rest["items"][0]["asset"] == fridge.asset.code
        assert rest["items"][0]["latest"]["value"] is None
        assert client.get("/api/v1/sensors/F-1", headers=engineer).json == rest["items"][0]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"code": "F-1"}, "code"),
            ({"code": "with space"}, "code"),
            ({"location": None}, "asset"),
            ({"quantity": "beauty"}, "quantity"),
            ({"profile": "moon"}, "profile"),
        ],
    )
    def test_one_that_does_not_fit_is_refused_by_field(self, client, engineer, change, field):
        new = {**self.NEW, "location": "CT 1", **change}
        answer = client.post("/api/v1/sensors", json=new, headers=engineer)
        assert (answer.status_code, list(answer.json["fields"])) == (422, [field])
        assert all(len(text) > 10 for text in answer.json["fields"][field])
