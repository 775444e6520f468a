"""The same loop for programs: JSON in, JSON out, and a signature only from a person."""

import pytest
from sqlalchemy import func, select

from apm.core.permissions import Role
from apm.requests.model import Request
from apm.work.model import WorkOrder
from tests.apm.hospital import make_asset, make_request, make_work, start_work
from tests.conftest import PASSWORD
from tests.queries import count_queries

V1 = "/api/v1"


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang"), "US", name="Ultrasound")


@pytest.fixture
def program(client, bearer):
    """A program with an engineer's token of North: `program("get", path, json)`."""
    headers = bearer(Role.ENGINEER)

    def call(method, path, json=None, **more):
        more["headers"] = {**headers, **more.get("headers", {})}
        return getattr(client, method)(V1 + path, json=json, **more)

    return call


def test_report_triage_work_approval_and_rating(login, as_, asset):
    lin, chen, wang = login("lin"), login("chen"), login("wang")

    made = lin.post(f"{V1}/assets/{asset.code}/requests", json={"symptom": "image"})
    assert made.status_code == 201
    request = made.get_json()
    assert request["state"] == "open"
    assert {"no", "symptom", "description", "patient_involved"} <= request.keys()
    assert login("wang").get(request["link"]).status_code == 200

    url = f"{V1}/requests/{request['no']}"
    assert "accept" in wang.get(url).get_json()["actions"]
    accepted = wang.post(f"{url}/accept", json={"template": "US", "priority": "high"}).get_json()
    assert accepted["state"] == "assigned"
    work = f"{V1}/work-orders/{accepted['work_order']}"
    wang.post(f"{work}/assign", json={"assignee": "chen@north.example"})
    started = chen.post(f"{work}/start", json={}).get_json()
    assert started["state"] == "in_progress"
    assert started["asset"] == asset.code
    assert "complete" in started["actions"]

    for step in started["steps"]:
        say = {"verdict": "pass"} if step["kind"] == "check" else {"verdict": "na"}
        answer = chen.put(f"{work}/results/{step['key']}", json=say)
        assert answer.status_code == 200, step
    judged = chen.put(f"{work}/results/vert@100", json={"value": 103, "verdict": "pass"})
    assert judged.get_json()["verdict"] == "fail"
    judged = chen.put(f"{work}/results/vert@100", json={"value": 102})
    assert judged.get_json()["verdict"] == "pass"

    done = {"cause": "UPF", "remedy": "New probe", "labour_minutes": 30, "password": PASSWORD}
    assert chen.post(f"{work}/complete", json=done).get_json()["state"] == "done"
    assert wang.post(f"{work}/close", json={"password": PASSWORD}).get_json()["state"] == "closed"
    rated = lin.post(f"{url}/verify", json={"rating": 4}).get_json()
    assert (rated["state"], rated["rating"]) == ("closed", 4)


def test_a_program_does_all_but_sign(program, as_, asset):
    new = {"type": "corrective", "asset": asset.code.lower(), "title": "Repair", "origin": "x:1"}
    made = program("post", "/work-orders", new)
    assert made.status_code == 201
    no = made.get_json()["no"]
    again = program("post", "/work-orders", new)
    assert again.get_json()["no"] == no

    assigned = program("post", f"/work-orders/{no}/assign", {"assignee": "chen@north.example"})
    assert assigned.get_json()["assignee"] == "Chen Bo"
    for action in ("complete", "close"):
        refused = program("post", f"/work-orders/{no}/{action}", {"password": PASSWORD})
        assert refused.status_code == 403
        assert refused.get_json()["code"] == "needs_person"
        assert "Sign in as a person" in refused.get_json()["detail"]


def test_the_same_key_makes_one_request(program, as_, asset):
    key = {"Idempotency-Key": "report-1"}
    path = f"/assets/{asset.code}/requests"
    first = program("post", path, {"symptom": "image"}, headers=key)
    second = program("post", path, {"symptom": "image"}, headers=key)
    assert first.get_json() == second.get_json()
    assert as_("wang").session.scalar(select(func.count(Request.id))) == 1
    other = program("post", path, {"symptom": "power"}, headers=key)
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "symptom"),
        ({"symptom": "haunted"}, "symptom"),
        ({"symptom": "image", "description": "x" * 2001}, "description"),
        ({"symptom": "image", "unheard": 1}, "unheard"),
    ],
)
def test_a_bad_report_names_the_field(program, as_, asset, body, field):
    refused = program("post", f"/assets/{asset.code}/requests", body)
    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    assert field in refused.get_json()["fields"]
    assert as_("wang").session.scalar(select(func.count(Request.id))) == 0


@pytest.mark.parametrize("value", ["abc", True, [], {}, "NaN", "inf"])
def test_a_value_is_a_number(login, as_, asset, value):
    order = make_work(as_("wang"), asset, template_code="US")
    start_work(as_("chen"), as_("wang"), order)
    refused = login("chen").put(f"{V1}/work-orders/{order.no}/results/pen", json={"value": value})
    assert refused.status_code == 422
    assert "value" in refused.get_json()["fields"]


def test_if_match_guards_a_step(program, as_, asset):
    order = make_work(as_("wang"), asset)
    path = f"/work-orders/{order.no}"
    tag = program("get", path).headers["ETag"]
    give = {"assignee": "chen@north.example"}
    assert program("post", f"{path}/assign", give, headers={"If-Match": tag}).status_code == 200
    stale = program("post", f"{path}/assign", give, headers={"If-Match": tag})
    assert stale.status_code == 412


def test_lists_filter_with_noise_and_go_on(program, as_, asset):
    mine = make_work(as_("wang"), asset, type="preventive")
    for _ in range(3):
        make_work(as_("wang"), make_asset(as_("wang")))
    make_work(as_("qin"), make_asset(as_("qin")))
    for wanted in ("type=preventive", f"asset={asset.code}"):
        page = program("get", f"/work-orders?{wanted}").get_json()
        assert [o["no"] for o in page["items"]] == [mine.no]
    assert len(program("get", "/work-orders?state=open&assignee=none").get_json()["items"]) == 4
    assert program("get", "/work-orders?state=closed").get_json() == {"items": [], "next": None}
    first = program("get", "/work-orders?limit=3").get_json()
    rest = program("get", f"/work-orders?limit=3&after={first['next']}").get_json()
    numbers = [o["no"] for o in first["items"] + rest["items"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 4
    assert program("get", "/work-orders?state=haunted").status_code == 422
    assert program("get", "/work-orders?after=rubbish").status_code == 422


def test_requests_are_listed_by_where_they_stand(program, as_, asset):
    made = make_request(as_("lin"), asset)
    for _ in range(2):
        theirs = make_request(as_("qin"), make_asset(as_("qin")))
    items = program("get", "/requests?state=new").get_json()["items"]
    assert [r["no"] for r in items] == [made.no]
    assert program("get", "/requests?state=ended").get_json()["items"] == []
    assert program("get", f"/requests/{theirs.no}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/work-orders/{work}"),
        ("post", "/work-orders/{work}/take"),
        ("post", "/work-orders/{work}/costs"),
        ("put", "/work-orders/{work}/results/pen"),
        ("get", "/requests/{request}"),
        ("post", "/requests/{request}/accept"),
        ("post", "/requests/{request}/comment"),
        ("post", "/assets/{code}/requests"),
    ],
)
def test_the_other_hospital_gets_not_found(login, as_, asset, method, path):
    order, request = make_work(as_("wang"), asset), make_request(as_("lin"), asset)
    bodies = {
        "costs": {"kind": "parts", "amount": 5}, "comment": {"text": "hi"},
        "requests": {"symptom": "image"},
    }  # fmt: skip
    body = bodies.get(path.rsplit("/", 1)[-1], {})
    url = V1 + path.format(work=order.no, request=request.no, code=asset.code)
    answer = getattr(login("qin"), method)(url, **({} if method == "get" else {"json": body}))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.DEVICE, "/work-orders", 403),
        (Role.REPORTER, "/work-orders", 403),
        (Role.REPORTER, "/requests", 200),
        (Role.TECHNICIAN, "/work-orders", 200),
    ],
)
def test_roles_read_what_is_theirs(client, bearer, role, path, status):
    assert client.get(V1 + path, headers=bearer(role)).status_code == status


def test_a_stranger_reads_nothing(client):
    assert client.get(f"{V1}/work-orders").status_code == 401


@pytest.mark.parametrize("path", ["/work-orders", "/requests"])
def test_statements_do_not_grow_with_the_list(program, as_, engine, path):
    counts = []
    for amount in (2, 6):
        for _ in range(amount):
            other = make_asset(as_("wang"), department="ICU", location="Room 1")
            make_work(as_("wang"), other)
            make_request(as_("lin"), other)
        with count_queries(engine) as sent:
            assert program("get", path).status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert as_("wang").session.scalar(select(func.count(WorkOrder.id))) == 8
