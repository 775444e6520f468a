"""Other programs hear of events: signed, once each, repeated until they answer."""

import hashlib
import hmac
from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.core.audit import AuditEntry
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.core.permissions import Role
from apm.core.settings import Settings
from apm.notify.delivering import CLAIM, claim, send_due
from apm.notify.health import FAILING_FROM
from apm.notify.model import Delivery, DeliveryState, Notification
from apm.webhooks.carrier import OFF_AFTER
from apm.webhooks.kinds import KINDS
from apm.webhooks.model import Webhook
from apm.worker.delivery import deliver
from tests.apm.hospital import make_asset, make_request, make_work
from tests.apm.metrology import verify as verify_asset
from tests.apm.servers import web_server

pytestmark = pytest.mark.database
SETTINGS = Settings(
    "sqlite://", "only for tests", "https://apm.example", "", allow_private_targets="all"
)  # type: ignore[arg-type]


@pytest.fixture
def web():
    with web_server() as running:
        yield running


@pytest.fixture
def add(client, bearer):
    def make(url, events=("request.reported",), who="amy"):
        headers = bearer(Role.ADMIN, who)
        body = {"url": url, "events": list(events)}
        answer = client.post("/api/v1/webhooks", json=body, headers=headers)
        assert answer.status_code == 201, answer.json
        return answer.json

    return make


def run(as_, now=None, who="system"):
    ctx = as_(who, **({"now": lambda: now} if now else {}))
    deliver(Context(ctx.session, system_actor(None), ctx.now))
    with (system := Context(ctx.session, system_actor(ctx.actor.hospital_id), ctx.now)).session:
        return send_due(system, SETTINGS)


def deliveries(as_):
    with as_("system").session as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def verify(secret, header, body, now):
    """What the documents tell receivers to do."""
    said = dict(part.split("=", 1) for part in header.split(","))
    wanted = hmac.new(secret.encode(), f"{said['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, said["v1"]) and abs(now - int(said["t"])) < 300


def test_equipment_that_must_not_be_used_is_told(as_, web, add):
    add(web.url + "/hook", events=["equipment.blocked", "equipment.allowed"])
    asset = make_asset(as_("wang"), "MON")
    verify_asset(as_("wang"), asset, until=-5, ago=380)
    verify_asset(as_("wang"), asset, until=300, ago=0)
    assert run(as_) == 2
    told = {seen.headers["X-Apm-Event"]: seen.json["data"] for seen in web.seen}
    assert told == {
        "equipment.blocked": {"asset": asset.code, "why": "overdue"},
        "equipment.allowed": {"asset": asset.code},
    }


def test_a_report_is_told_signed_and_with_no_word_of_the_reporter(as_, web, add):
    hook = add(web.url + "/hook?key=abcdefghijkl")
    asset = make_asset(as_("wang"))
    request = make_request(as_("lin"), asset, description="Patient Zhang in bed 4")
    assert run(as_) == 1
    [seen] = web.seen
    assert seen.path == "/hook?key=abcdefghijkl"
    assert verify(
        hook["secret"], seen.headers["X-Apm-Signature"], seen.body, utc_now().timestamp()
    )
    assert not verify("wrong", seen.headers["X-Apm-Signature"], seen.body, utc_now().timestamp())
    body = seen.json
    assert (body["kind"], body["hospital"]) == ("request.reported", "NORTH")
    urgent = body["data"].pop("urgent")
    assert urgent in {True, False}
    assert body["data"] == {"no": request.no, "asset": asset.code, "symptom": "alarm"}
    assert "Zhang" not in seen.body.decode()
    assert seen.headers["X-Apm-Event"] == "request.reported"


def test_only_the_kinds_that_were_chosen_are_told(as_, web, add):
    add(web.url, events=["work_order.opened"])
    make_request(as_("lin"), make_asset(as_("wang")))
    order = make_work(as_("wang"))
    run(as_)
    assert [seen.json["data"]["no"] for seen in web.seen] == [order.no]


def test_a_repeat_is_the_same_body_under_the_same_name(as_, web, add):
    add(web.url)
    make_request(as_("lin"), make_asset(as_("wang")))
    deliver(Context(as_("system").session, system_actor(None)))
    sends, _refused = claim(as_("system"), settings=SETTINGS)
    for one in sends.values():
        one()  # the worker dies here
    assert run(as_, utc_now() + CLAIM + timedelta(seconds=1)) == 1
    first, second = web.seen
    assert first.body == second.body
    assert first.headers["X-Apm-Delivery"] == second.headers["X-Apm-Delivery"]
    assert deliveries(as_)[0].state is DeliveryState.SENT


def test_a_refusal_is_tried_again_and_little_of_it_is_kept(as_, web, add):
    hook = add(web.url)
    web.answer = lambda _seen: (500, ("x" * 50 + hook["secret"] + "y" * 5000).encode())
    make_request(as_("lin"), make_asset(as_("wang")))
    now = utc_now()
    run(as_, now + timedelta(seconds=1))
    [one] = deliveries(as_)
    assert one.state is DeliveryState.FAILED
    assert one.error.startswith("answer:HTTP 500 xxxx")
    assert len(one.error) < 140
    assert hook["secret"][:20] not in one.error
    web.answer = lambda _seen: (204, b"")
    run(as_, now + timedelta(minutes=1))
    assert deliveries(as_)[0].state is DeliveryState.SENT


def test_after_days_of_failing_it_is_switched_off_and_the_administrator_hears(as_, web, add):
    hook = add(web.url)
    web.answer = lambda _seen: (500, {})
    for _number in range(FAILING_FROM):
        make_request(as_("lin"), make_asset(as_("wang")))
    now = utc_now()
    run(as_, now + timedelta(seconds=1))
    assert as_("amy").session.get(Webhook, hook["id"]).is_active
    make_request(as_("lin"), make_asset(as_("wang")))
    later = now + OFF_AFTER + timedelta(hours=1)
    make_request(
        Context(as_("lin").session, as_("lin").actor, lambda: later), make_asset(as_("wang"))
    )
    run(as_, later + timedelta(seconds=1))
    found = as_("amy").session.get(Webhook, hook["id"])
    assert not found.is_active
    assert found.disabled_at is not None
    deliver(
        Context(as_("system").session, system_actor(None), lambda: later + timedelta(minutes=1))
    )
    told = as_("system").session.scalars(
        select(Notification).where(Notification.kind == "webhook_off")
    )
    assert [row.user_id for row in told] == [as_("amy").actor.user_id]


def test_the_secret_is_shown_once_and_kept_nowhere_in_clear(as_, web, add, client, bearer, login):
    hook = add(web.url + "/path?key=topsecretkey123")
    listed = client.get("/api/v1/webhooks", headers=bearer(Role.ADMIN)).json
    assert [one["name"] for one in listed["items"]] == [web.url + "/path"]
    page = login("amy").get("/admin/webhooks").get_data(as_text=True)
    ctx = as_("amy")
    kept = ctx.session.scalars(select(Webhook)).one()
    trail = str([row.changes for row in ctx.session.scalars(select(AuditEntry))])
    for text in (str(listed), page, trail, kept.address, kept.secret):
        assert hook["secret"] not in text
        assert "topsecretkey123" not in text


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://files.example", "events": ["request.reported"]},
        {"url": "https://user:pass@x.example", "events": ["request.reported"]},
        {"url": "https://x.example", "events": []},
        {"url": "https://x.example", "events": ["everything"]},
        {"url": "http://[", "events": ["request.reported"]},
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(client, bearer, body):
    answer = client.post("/api/v1/webhooks", json=body, headers=bearer(Role.ADMIN))
    assert answer.status_code == 422


def test_only_administrators_of_the_hospital_see_and_remove_it(as_, web, add, client, bearer):
    hook = add(web.url)
    path = f"/api/v1/webhooks/{hook['id']}"
    assert client.get("/api/v1/webhooks", headers=bearer(Role.ENGINEER)).status_code == 403
    south = bearer(Role.ADMIN, "qin")
    assert client.get("/api/v1/webhooks", headers=south).json["items"] == []
    assert client.delete(path, headers=south).status_code == 404
    make_request(as_("qin"), make_asset(as_("qin")))
    assert run(as_, who="qin") == 0
    assert run(as_) == 0
    assert client.delete(path, headers=bearer(Role.ADMIN)).status_code == 204
    make_request(as_("lin"), make_asset(as_("wang")))
    assert run(as_) == 0
    assert web.seen == []


def test_the_page_adds_tests_repeats_and_removes(as_, web, login, app, settings):
    amy = login("amy")
    form = {"url": web.url, "events": ["alarm.raised", "request.reported"]}
    page = amy.post("/admin/webhooks", data=form).get_data(as_text=True)
    assert "whsec_" in page
    assert "whsec_" not in amy.get("/admin/webhooks").get_data(as_text=True)
    hook = as_("amy").session.scalars(select(Webhook)).one()
    assert amy.post(f"/admin/webhooks/{hook.id}/test").status_code == 303
    run(as_)
    assert [seen.json["kind"] for seen in web.seen] == ["webhook.test"]
    [one] = deliveries(as_)
    assert amy.post(f"/admin/webhooks/deliveries/{one.id}/retry").status_code == 303
    run(as_)
    assert len({seen.headers["X-Apm-Delivery"] for seen in web.seen}) == 1
    assert len(web.seen) == 2
    assert login("qin").post(f"/admin/webhooks/{hook.id}/remove").status_code == 403
    assert (
        amy.post("/admin/webhooks", data={"url": "x", "events": "request.reported"}).status_code
        == 422
    )
    amy.post(f"/admin/webhooks/{hook.id}/switch", data={"on": "no"})
    make_request(as_("lin"), make_asset(as_("wang")))
    assert run(as_) == 0
    amy.post(f"/admin/webhooks/{hook.id}/remove")
    assert as_("amy").session.scalars(select(Webhook)).all() == []


def test_every_kind_speaks_of_its_event(as_):
    """Each kind can tell of a payload of its event, and tells no name and no row's number."""
    asset = make_asset(as_("wang"))
    fields = {"asset_id": asset.id, "is_urgent": True, "no": "X-1", "reporter_id": 5}
    for name, kind in KINDS.items():
        wanted = kind.event.__dataclass_fields__.keys() - {"kind"}
        payload = {field: fields.get(field, "x") for field in wanted}
        data = kind.data(as_("system"), payload)
        assert data, name
        assert not {"reporter_id", "assignee_id", "people", "request_id", "asset_id"} & data.keys()
