"""Programs read and write the register."""

import pytest

from apm.assets.commands import create_asset
from apm.assets.queries import asset_by_code
from apm.core.permissions import Role

NEW = {"number": "A-1", "name": "Evita V500", "name_zh": "呼吸机", "category": "VENT"}


@pytest.fixture
def south(as_):
    """A look-alike in the other hospital."""
    return create_asset(as_("qin"), **{**NEW, "department": "ICU", "serial": "S"})


def test_an_asset_is_created_read_and_listed(client, bearer, south):
    head = bearer()

    made = client.post(
        "/api/v1/assets",
        json={**NEW, "department": "ICU", "location": "Bed 3", "purchase_cost": 258_000_00},
        headers=head,
    )
    read = client.get(made.headers["Location"], headers=head)
    listed = client.get("/api/v1/assets", headers=head)

    assert made.status_code == 201
    body = made.get_json()
    wanted = {
        **NEW, "department": "ICU", "location": "Bed 3", "manufacturer": None, "model": None,
        "serial": None, "lifecycle": "in_service", "availability": "up", "condition": "unknown",
        "purchase_cost": 258_000_00, "currency": "CNY", "risk": "high",
    }  # fmt: skip
    assert {key: body[key] for key in wanted} == wanted
    assert body["code"] != south.code
    assert read.get_json() == body
    assert listed.get_json() == {"items": [body], "next": None}


def test_the_same_key_makes_one_asset(client, bearer):
    head = {**bearer(), "Idempotency-Key": "k1"}
    answers = [client.post("/api/v1/assets", json=NEW, headers=head) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].get_json()["code"] == answers[1].get_json()["code"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "category": "VENT"}, "number"),
        ({**NEW, "number": "  "}, "number"),
        ({**NEW, "category": "NOPE"}, "category"),
        ({**NEW, "purchased_on": "2024-02-30"}, "purchased_on"),
        ({**NEW, "purchased_on": "0024-02-03"}, "purchased_on"),
        ({**NEW, "purchase_cost": -1}, "purchase_cost"),
        ({**NEW, "purchase_cost": 1.5}, "purchase_cost"),
        ({**NEW, "purchase_cost": 10**15}, "purchase_cost"),
        ({**NEW, "name": "x" * 121}, "name"),
        ({**NEW, "code": "MINE1234"}, "code"),
        ({**NEW, "lifecycle": "flying"}, "lifecycle"),
    ],
)
def test_wrong_values_are_named(client, bearer, body, field):
    answer = client.post("/api/v1/assets", json=body, headers=bearer())
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert list(answer.get_json()["fields"]) == [field]


def test_half_a_character_is_refused(client, bearer):
    body = '{"number": "A", "name": "a\\ud800", "category": "VENT"}'
    answer = client.post(
        "/api/v1/assets", data=body, content_type="application/json", headers=bearer()
    )
    assert (answer.status_code, answer.get_json()["code"]) == (422, "unstorable")


def test_a_number_is_taken_once_in_each_hospital(client, bearer, south):
    head = bearer()
    first = client.post("/api/v1/assets", json=NEW, headers=head)
    second = client.post("/api/v1/assets", json=NEW, headers=head)
    assert (first.status_code, second.status_code) == (201, 422)
    assert second.get_json()["code"] == "number_taken"


def test_a_patch_changes_what_it_names(client, bearer, as_):
    asset = create_asset(as_("wang"), **NEW, serial="X1", department="ICU")
    url, head = f"/api/v1/assets/{asset.code.lower()}", bearer()

    answer = client.patch(url, json={"name": "V600", "department": None}, headers=head)

    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["name"], body["serial"], body["department"]) == ("V600", "X1", None)


def test_a_stale_patch_is_refused(client, bearer, as_):
    asset = create_asset(as_("wang"), **NEW)
    url, head = f"/api/v1/assets/{asset.code}", bearer()
    etag = client.get(url, headers=head).headers["ETag"]

    first = client.patch(url, json={"name": "A"}, headers={**head, "If-Match": etag})
    second = client.patch(url, json={"name": "B"}, headers={**head, "If-Match": etag})
    third = client.patch(
        url, json={"name": "C"}, headers={**head, "If-Match": first.headers["ETag"]}
    )

    assert [a.status_code for a in (first, second, third)] == [200, 412, 200]
    assert first.headers["ETag"] != etag
    assert asset_by_code(as_("wang"), asset.code).name == "C"


def test_a_patch_takes_only_the_steps_a_person_may(client, bearer, as_):
    asset = create_asset(as_("wang"), **NEW)
    url, head = f"/api/v1/assets/{asset.code}", bearer()
    lent = client.patch(url, json={"lifecycle": "on_loan"}, headers=head)
    repaired = client.patch(url, json={"lifecycle": "under_repair"}, headers=head)
    assert (lent.status_code, lent.get_json()["lifecycle"]) == (200, "on_loan")
    assert (repaired.status_code, repaired.get_json()["code"]) == (409, "not_now")


@pytest.mark.database
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A", "B", "C"]),
        ("q=perfusor", ["B"]),
        ("department=ICU", ["A", "B"]),
        ("location=Bed 4", ["B"]),
        ("category=VENT", ["A", "C"]),
        ("lifecycle=standby", ["C"]),
        ("availability=partial", ["B"]),
        ("category=VENT&department=ICU", ["A"]),
        ("department=Nowhere", []),
    ],
)
def test_each_filter_leaves_the_others_out(client, bearer, as_, south, query, expected):
    ctx = as_("wang")
    create_asset(ctx, number="A", name="Evita", category="VENT", department="ICU")
    create_asset(
        ctx, number="B", name="Perfusor", category="SYRP", department="ICU", location="Bed 4",
        availability="partial",
    )  # fmt: skip
    create_asset(ctx, number="C", name="Elisa", category="VENT", lifecycle="standby")
    answer = client.get(f"/api/v1/assets?{query}", headers=bearer())
    assert [item["number"] for item in answer.get_json()["items"]] == expected


def test_a_list_continues_at_its_cursor(client, bearer, as_):
    ctx = as_("wang")
    for n in range(5):
        create_asset(ctx, number=f"N{n}", name="x", category="OTHER")
    head, seen, after = bearer(), [], ""
    for _page in range(3):
        body = client.get(f"/api/v1/assets?limit=2{after}", headers=head).get_json()
        seen += [item["number"] for item in body["items"]]
        after = f"&after={body['next']}"
    assert seen == ["N0", "N1", "N2", "N3", "N4"]
    assert body["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "after=xyz", "lifecycle=flying"])
def test_a_wrong_question_is_refused(client, bearer, query):
    assert client.get(f"/api/v1/assets?{query}", headers=bearer()).status_code == 422


def test_another_hospitals_asset_does_not_exist(client, bearer, south):
    url, head = f"/api/v1/assets/{south.code}", bearer()
    assert client.get(url, headers=head).status_code == 404
    assert client.patch(url, json={"name": "x"}, headers=head).status_code == 404
    assert client.get("/api/v1/assets", headers=head).get_json()["items"] == []


def test_roles_decide(client, bearer):
    assert client.get("/api/v1/assets").status_code == 401
    reporter = bearer(Role.REPORTER)
    assert client.get("/api/v1/assets", headers=reporter).status_code == 200
    assert client.post("/api/v1/assets", json=NEW, headers=reporter).status_code == 403
    device = bearer(Role.DEVICE)
    assert client.get("/api/v1/assets", headers=device).status_code == 403
