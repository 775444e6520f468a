"""One's work in a calendar, at an address that nobody guesses and that ends on a button."""

import re
from datetime import date

import pytest
from icalendar import Calendar
from sqlalchemy import select

from apm.accounts.model import User
from apm.accounts.queries import system_actor
from apm.core.audit import AuditEntry
from apm.core.codes import PublicCode
from apm.core.command import Context
from tests.apm.hospital import make_asset, make_work, start_work

DAY = date(2026, 12, 1)


@pytest.fixture
def address(login):
    """`address("wang")` makes a calendar's address as the button does."""

    def make(name):
        page = login(name).post("/account/calendar").get_data(as_text=True)
        return re.search(r'value="http://localhost(/calendar/[^"]+\.ics)"', page)[1]

    return make


@pytest.fixture
def work(as_):
    """Two orders of Chen, one with a day; one of Wang; one nobody has; one of South."""
    chen, wang = as_("chen"), as_("wang")
    asset = make_asset(wang, name="Ventilator", name_zh="呼吸机", department="ICU")
    dated = make_work(wang, asset, due_on=DAY)
    undated = make_work(wang)
    others = make_work(wang, due_on=DAY)
    make_work(wang, due_on=DAY)
    start_work(chen, wang, dated)
    start_work(chen, wang, undated)
    start_work(as_("wang"), wang, others)
    qin = as_("qin")
    start_work(qin, qin, make_work(qin, due_on=DAY))
    return dated


def events(answer):
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.data).walk("VEVENT")


def test_it_holds_ones_own_dated_work_and_nothing_else(client, address, work):
    [event] = events(client.get(address("chen")))
    assert event["UID"].startswith(work.no)
    assert event.decoded("DTSTART") == DAY
    assert "Ventilator" in event["SUMMARY"]
    assert event["LOCATION"] == "ICU"
    assert event["URL"] == f"http://localhost/work-orders/{work.no}"


def test_it_speaks_the_persons_language(client, address, work, login):
    login("chen").post("/account/language", data={"language": "zh"})
    [event] = events(client.get(address("chen")))
    assert "呼吸机" in event["SUMMARY"]


def test_unchanged_it_is_not_sent_again(client, address, work, as_):
    path = address("chen")
    etag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    wang = as_("wang")
    start_work(as_("chen"), wang, make_work(wang, due_on=DAY))
    later = client.get(path, headers={"If-None-Match": etag})
    assert len(events(later)) == 2


def test_a_new_address_ends_the_old_one_and_a_button_ends_all(client, address, work, login):
    old = address("chen")
    new = address("chen")
    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200
    login("chen").post("/account/calendar/end")
    assert client.get(new).status_code == 404


def test_the_token_is_kept_hashed_and_out_of_the_trail(as_, address):
    token = address("chen").split("/")[-1].removesuffix(".ics")
    ctx = as_("system")
    kept = ctx.session.scalars(select(PublicCode).where(PublicCode.kind == "calendar")).one()
    assert token not in kept.code
    assert token not in str([row.changes for row in ctx.session.scalars(select(AuditEntry))])


def test_who_has_left_has_no_calendar(client, address, work, as_):
    path = address("chen")
    top = Context(as_("system").session, system_actor(None))
    with top.writing("test"):
        top.session.scalars(
            select(User).where(User.email == "chen@north.example")
        ).one().is_active = False
    assert client.get(path).status_code == 404


def test_guessing_is_answered_alike_and_ends(client):
    answers = {client.get(f"/calendar/{n}.ics").status_code for n in range(80)}
    assert answers == {404, 429}
