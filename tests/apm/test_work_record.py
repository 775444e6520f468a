"""Photos, hours, downtime and signatures: what else a phone writes into the record."""

import base64
import io
import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from apm.accounts.model import SignInSession
from apm.core.errors import Conflict, Invalid
from apm.work import queries
from apm.work.completion import Completion, complete, is_intact
from apm.work.field_model import Labour, WorkPhoto
from apm.work.hours import Downtime, set_downtime
from apm.work.model import Signature, WorkStep
from apm.work.moving import Facts, move_work
from apm.work.photos import add_photo
from apm.work.signing import FRESH
from apm.work.states import DownKind, DownReason, WorkState
from tests.apm.field import V1, Phone
from tests.apm.hospital import jpeg, make_asset, make_work, start_work
from tests.conftest import PASSWORD

SAID = Completion(cause="UPF", remedy="Board replaced", labour_minutes=45)
DAY = timedelta(hours=23, minutes=58)
HAND = "M10 10L40 60L80 20L120 70L160 30L200 80"


@pytest.fixture
def order(as_):
    """A repair of a ventilator with a checklist, which Chen has started."""
    made = make_work(as_("wang"), make_asset(as_("wang"), "VENT"), template_code="VENT")
    start_work(as_("chen"), as_("wang"), made)
    return made


@pytest.fixture
def repair(as_):
    """A repair without a checklist, which Chen has started."""
    made = make_work(as_("wang"), make_asset(as_("wang"), "MON"))
    start_work(as_("chen"), as_("wang"), made)
    return made


@pytest.fixture
def phone(login, order):
    return Phone(login("chen"), order.no)


def one(as_, model, **by):
    return as_("wang").session.scalars(select(model).filter_by(**by)).one()


def whole(as_, order):
    return queries.work_order(as_("wang"), order.no)


def picture(width=640):
    return base64.b64encode(jpeg(width, 480)).decode()


@pytest.mark.database
def test_photos_are_cleaned_shown_and_part_of_what_is_signed(as_, login, repair):
    phone = Phone(login("chen"), repair.no)
    made = phone.send("photos", {"image": picture()})
    assert made.status_code == 201
    shown = login("wang").get(made.get_json()["url"])
    assert (shown.mimetype, shown.status_code) == ("image/jpeg", 200)
    assert login("qin").get(made.get_json()["url"]).status_code == 404
    assert phone.send("photos", {"image": picture()}).get_json()["id"] == made.get_json()["id"]

    complete(as_("chen"), no=repair.no, password=PASSWORD, said=SAID)
    assert phone.send("photos", {"image": picture(320)}).status_code == 409
    ctx = as_("wang")
    with ctx.writing("tamper"):
        ctx.session.scalars(select(WorkPhoto)).one().sha256 = "0" * 64
    assert not is_intact(whole(as_, repair))


@pytest.mark.parametrize(
    ("image", "status"), [("not base 64!", 422), (base64.b64encode(b"GIF89a").decode(), 422)]
)
def test_a_photo_that_is_none_is_refused(phone, image, status):
    assert phone.send("photos", {"image": image}).status_code == status


def test_a_photo_of_a_step_without_a_script(as_, login, order):
    step = one(as_, WorkStep, key="q1")
    form = {
        "step": ["q1"], f"s{step.id}": "fail",
        f"s{step.id}_photo": (io.BytesIO(jpeg()), "hose.jpg"),
    }  # fmt: skip
    assert login("chen").post(f"/work-orders/{order.no}/results", data=form).status_code == 303
    assert one(as_, WorkPhoto).step_key == "q1"
    with pytest.raises(Invalid):
        add_photo(as_("chen"), no=order.no, data=b"no picture")


def test_working_time_is_of_a_person_and_adds_up(as_, login, repair):
    phone = Phone(login("chen"), repair.no, ahead=DAY)
    for minutes in (20, 11.5):
        ended = phone.now() - timedelta(hours=1)
        body = {
            "began": (ended - timedelta(minutes=minutes)).isoformat(),
            "ended": ended.isoformat(),
        }
        assert phone.send("labour", body).status_code == 201
    assert whole(as_, repair).labour_minutes == 32
    entries = as_("wang").session.scalars(select(Labour)).all()
    assert [(e.name, e.minutes) for e in entries] == [("chen@north.example", n) for n in (20, 12)]
    told = as_("wang").now() - timedelta(hours=1)
    assert abs(entries[0].ended_at - told) < timedelta(minutes=1), "by our clock"


@pytest.mark.parametrize("minutes", [-1, 24 * 60 + 1])
def test_a_forgotten_timer_is_refused(phone, minutes):
    began = phone.now()
    body = {
        "began": began.isoformat(),
        "ended": (began + timedelta(minutes=minutes)).isoformat(),
    }
    assert phone.send("labour", body).status_code == 422


def test_downtime_is_put_right_before_the_work_is_signed(as_, login, repair):
    ctx = as_("chen")
    began, ended = ctx.now() - timedelta(hours=9), ctx.now() - timedelta(hours=2)
    said = Downtime(began, ended, DownKind.PARTIAL, DownReason.NO_PART)
    set_downtime(ctx, no=repair.no, said=said)
    assert whole(as_, repair).down_until is None, "the equipment is not back before the signature"

    complete(as_("chen"), no=repair.no, password=PASSWORD, said=SAID)

    done = whole(as_, repair)
    assert (done.down_from, done.down_until) == (began, ended)
    assert done.asset.lifecycle.value == "in_service" or done.asset.availability.value == "up"
    with pytest.raises(Conflict):
        set_downtime(as_("chen"), no=repair.no, said=said)


@pytest.mark.parametrize(
    ("began", "ended", "field"),
    [(-2, -3, "ended"), (1, None, "began"), (-2, 1, "ended"), (None, None, "began")],
    ids=["ends before it begins", "begins in future", "ends in future", "no beginning"],
)
def test_downtime_must_make_sense(as_, repair, began, ended, field):
    ctx = as_("chen")
    times = [ctx.now() + timedelta(hours=h) if h is not None else None for h in (began, ended)]
    with pytest.raises(Invalid) as refused:
        set_downtime(ctx, no=repair.no, said=Downtime(*times))
    assert field in refused.value.fields


def test_downtime_typed_in_a_form_is_the_hospitals_time(as_, login, repair):
    form = {"began": "2026-01-05T08:00", "kind": "full", "reason": "fault"}
    url = f"/work-orders/{repair.no}/downtime"
    assert login("chen").post(url, data=form).status_code == 303
    assert whole(as_, repair).down_from.isoformat() == "2026-01-05T00:00:00+00:00"
    assert 'value="2026-01-05T08:00"' in login("chen").get(url[:-9]).get_data(as_text=True)


def test_a_name_drawn_soon_after_signing_in_is_a_signature(as_, login, repair):
    done = {"cause": "UPF", "remedy": "x", "drawn": HAND, "labour_minutes": 5}
    assert Phone(login("chen"), repair.no).send("complete", done).status_code == 200
    signed = one(as_, Signature)
    assert (signed.method, signed.drawn, signed.name) == ("drawn", HAND, "Chen Bo")
    page = login("wang").get(f"/work-orders/{repair.no}").get_data(as_text=True)
    assert f'<path d="{HAND}"' in page


@pytest.mark.parametrize("drawn", ["M1 1L2 2", "M1 1L2 2'/><script>", "x" * 30, "M1 1" * 20])
def test_a_dot_is_no_signature(login, as_, repair, drawn):
    done = {"cause": "UPF", "remedy": "x", "drawn": drawn}
    refused = Phone(login("chen"), repair.no).send("complete", done)
    assert refused.status_code == 422
    assert whole(as_, repair).signatures == []


def test_later_a_drawing_needs_the_password_too(as_, login, repair):
    browser = login("chen")
    age_sessions(as_, FRESH + timedelta(minutes=1))
    done = {"cause": "UPF", "remedy": "x", "drawn": HAND, "once": "k1"}
    refused = Phone(browser, repair.no).send("complete", done)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "needs_password")
    signed = Phone(browser, repair.no).send("complete", {**done, "password": PASSWORD})
    assert signed.status_code == 200
    assert one(as_, Signature).method == "both"


def age_sessions(as_, age):
    ctx = as_("wang")
    with ctx.writing("test"):
        for session in ctx.session.scalars(select(SignInSession)):
            session.created_at -= age


def test_a_signature_whose_answer_got_lost_is_given_once(as_, login, repair):
    done = {"cause": "UPF", "remedy": "x", "password": PASSWORD, "once": "one-signature"}
    url = f"{V1}/work-orders/{repair.no}/complete"
    browser = login("chen")
    answers = [browser.post(url, json=done) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert len(whole(as_, repair).signatures) == 1
    assert browser.post(url, json={**done, "once": "another"}).status_code == 409


def test_guessing_passwords_under_one_key_is_counted_too(as_, login, repair, monkeypatch):
    monkeypatch.setattr("apm.work.signing.MOST_TRIES", 3)
    phone = Phone(login("chen"), repair.no)
    said = {"cause": "UPF", "remedy": "x", "password": "wrong"}
    codes = [phone.send("complete", said, key="guess").status_code for _ in range(5)]
    assert codes == [422, 422, 422, 429, 429]


def test_work_begun_without_a_network_began_when_the_phone_says(as_, login):
    made = make_work(as_("wang"))
    old = as_("wang", now=lambda: datetime.now().astimezone() - timedelta(hours=5))
    move_work(old, no=made.no, action="assign", facts=Facts(assignee_id=as_("chen").actor.user_id))
    phone = Phone(login("chen"), made.no)
    assert phone.send("start", {}, ago=timedelta(hours=2)).status_code == 200
    began = whole(as_, made).started_at
    assert abs(as_("wang").now() - timedelta(hours=2) - began) < timedelta(minutes=1)


def test_what_is_waited_for_is_not_expected_yesterday(as_, login, repair):
    yesterday = as_("wang").now().date() - timedelta(days=2)
    with pytest.raises(Invalid) as refused:
        facts = Facts("Fan ordered", expected_on=yesterday)
        move_work(as_("chen"), no=repair.no, action="wait_parts", facts=facts)
    assert "expected_on" in refused.value.fields
    facts = Facts("Fan ordered", expected_on=yesterday + timedelta(days=9))
    move_work(as_("chen"), no=repair.no, action="wait_parts", facts=facts)
    assert "Expected " in login("chen").get("/work-orders").get_data(as_text=True)
    assert whole(as_, repair).state is WorkState.WAITING_PARTS


def test_closing_a_short_repair_takes_four_fields(login, as_, repair):
    page = login("chen").get(f"/work-orders/{repair.no}").get_data(as_text=True)
    form = page[page.index('action="/work-orders/' + repair.no + '/complete"') :]
    form = form[: form.index("</form>")]
    fields = re.findall(r'<(?:input|select|textarea)[^>]*\bname="(\w+)"[^>]*>', form)
    hidden = set(re.findall(r'<input type="hidden" name="(\w+)"', form))
    assert [name for name in fields if name not in hidden] == [
        "cause", "remedy", "labour_minutes", "password",
    ]  # fmt: skip
