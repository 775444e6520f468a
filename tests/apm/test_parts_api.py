"""Parts as JSON: the catalogue, stock and its moves, what to order."""

import pytest

from apm.core.permissions import Role
from tests.apm.stockroom import job, make_vendor, stocked

NEW = {"number": "O2-1", "name": "Oxygen cell", "price": 1250, "minimum": 2, "barcodes": ["6901"]}


@pytest.fixture
def call(client, bearer):
    """`call("post", "/parts", {...})` as a program of North's engineers."""
    headers = bearer(Role.ENGINEER)

    def send(method, path, body=None, **more):
        return client.open(
            f"/api/v1{path}", method=method.upper(), json=body, headers={**headers, **more}
        )

    return send


def test_a_part_and_its_moves(call, as_):
    made = call("post", "/parts", NEW)
    assert made.status_code == 201
    part = made.json
    assert (part["on_hand"], part["minimum"], part["unit"]) == (0, 2, "piece")
    moves = f"/parts/{part['id']}/moves"
    came = {"kind": "receive", "quantity": 5, "store": "Main", "lot": "L1"}
    assert call("post", moves, {**came, "expires_on": "2199-01-31"}).json["on_hand"] == 5
    no = job(as_).no
    took = call("post", moves, {"kind": "issue", "quantity": 2, "work_order": no})
    assert took.json["available"] == 3
    [last, first] = call("get", moves).json["items"]
    assert (last["kind"], last["quantity"], last["work_order"], last["price"]) == (
        "issue", -2, no, 1250,
    )  # fmt: skip
    assert (first["lot"], first["expires_on"]) == ("L1", "2199-01-31")
    back = {"kind": "return", "quantity": 1, "work_order": no, "move": last["id"]}
    assert call("post", moves, back).json["on_hand"] == 4
    at = {"store": "Main", "lot": "L1", "reason": "Counted"}
    assert call("post", moves, {"kind": "adjust", "quantity": 3, **at}).json["on_hand"] == 3
    assert call("post", moves, {"kind": "scrap", "quantity": 2, **at}).json["on_hand"] == 1
    page = call("get", f"{moves}?limit=2").json
    assert len(page["items"]) == 2
    assert len(call("get", f"{moves}?limit=9&after={page['next']}").json["items"]) == 3
    [proposal] = call("get", "/parts/reorder").json["items"]
    assert (proposal["number"], proposal["quantity"], proposal["cost"]) == ("O2-1", 1, 1250)


def test_the_same_move_sent_twice_is_made_once(call, as_):
    part = stocked(as_("wang"), 5)
    body = {"kind": "issue", "quantity": 1, "work_order": job(as_).no}
    for _ in range(2):
        sent = call("post", f"/parts/{part.id}/moves", body, **{"Idempotency-Key": "k1"})
        assert sent.json["on_hand"] == 4


def test_lists_and_changes(call, as_):
    stocked(as_("qin"), 3, number="SOUTH")
    part = call("post", "/parts", {**NEW, "supplier": make_vendor(as_("wang")).id}).json
    call("post", "/parts", {**NEW, "number": "O2-2", "barcodes": []})
    first = call("get", "/parts?limit=1").json
    assert [p["number"] for p in first["items"]] == ["O2-1"]
    rest = call("get", f"/parts?after={first['next']}").json
    assert [p["number"] for p in rest["items"]] == ["O2-2"]
    assert [p["number"] for p in call("get", "/parts?q=6901").json["items"]] == ["O2-1"]
    url = f"/parts/{part['id']}"
    etag = call("get", url).headers["ETag"]
    changed = call("patch", url, {"lead_days": 9, "category": "VENT"}, **{"If-Match": etag})
    assert (changed.json["lead_days"], changed.json["supplier_name"]) == (9, "Example Supplies")
    assert call("patch", url, {"lead_days": 8}, **{"If-Match": etag}).status_code == 412


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"kind": "issue", "quantity": 1}, 422, "work_order"),
        ({"kind": "issue", "quantity": 1, "work_order": "WO-1"}, 404, None),
        ({"kind": "issue", "quantity": 99, "work_order": "{no}"}, 409, None),
        ({"kind": "issue", "quantity": -1, "work_order": "{no}"}, 422, "quantity"),
        ({"kind": "issue", "quantity": {"a": 1}, "work_order": "{no}"}, 422, "quantity"),
        ({"kind": "receive", "quantity": 1}, 422, "store"),
        ({"kind": "receive", "quantity": 1e30, "store": "S"}, 422, "quantity"),
        ({"kind": "adjust", "quantity": 1, "store": "Nowhere"}, 404, None),
        ({"kind": "adjust", "quantity": 1, "store": "Store"}, 422, "reason"),
        ({"kind": "return", "quantity": 1, "work_order": "{no}"}, 422, "move"),
        ({"kind": "steal", "quantity": 1}, 422, "kind"),
        ({"kind": "receive", "quantity": 1, "shoe": 9}, 422, "shoe"),
    ],
)
def test_what_cannot_be_moved(call, as_, body, status, field):
    part, no = stocked(as_("wang"), 5), job(as_).no
    body = {k: v.format(no=no) if isinstance(v, str) else v for k, v in body.items()}
    answer = call("post", f"/parts/{part.id}/moves", body)
    assert answer.status_code == status
    assert field is None or field in answer.json["fields"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"number": "A"}, {**NEW, "price": -1}, {**NEW, "price": 1.5}, {**NEW, "unit": "foot"},
        {**NEW, "category": "NOPE"}, {**NEW, "barcodes": ["a", "a"]}, {**NEW, "minimum": "x"},
        {**NEW, "fits": [{"model": "only"}]}, {**NEW, "number": " "}, {**NEW, "barcodes": [""]},
        {**NEW, "unknown": 1},
    ],
)  # fmt: skip
def test_what_is_no_part(call, body):
    assert call("post", "/parts", body).status_code == 422


def test_whose_parts(call, client, as_, bearer):
    south = stocked(as_("qin"), 5)
    for path in (f"/parts/{south.id}", f"/parts/{south.id}/moves", "/parts/999"):
        assert call("get", path).status_code == 404
    body = {"kind": "receive", "quantity": 1, "store": "S"}
    assert call("post", f"/parts/{south.id}/moves", body).status_code == 404
    part = stocked(as_("wang"), 5)
    technician = bearer(Role.TECHNICIAN)
    url = f"/api/v1/parts/{part.id}/moves"
    assert client.post(url, json=body, headers=technician).status_code == 403
    assert client.get("/api/v1/parts", headers=bearer(Role.DEVICE)).status_code == 403
