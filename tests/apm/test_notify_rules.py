"""Each hears what they chose, when they chose; quiet hours and digests on the wall clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from apm.accounts.queries import own_hospital
from apm.notify.commands import send
from apm.notify.digests import make_digests
from apm.notify.messages import News
from apm.notify.model import Channel, Delivery, Notification, Preference
from apm.notify.rule_commands import Wishes, choose_rules
from apm.notify.timing import digest_day, end_of_quiet
from apm.notify.topics import ChannelKind, Choice, Topic

pytestmark = pytest.mark.database
SHANGHAI = "Asia/Shanghai"
NIGHT = datetime(2026, 3, 10, 23, 30, tzinfo=ZoneInfo(SHANGHAI))
DAY = datetime(2026, 3, 10, 14, 0, tzinfo=ZoneInfo(SHANGHAI))


def berlin(day, hour, minute=0, fold=0):
    return datetime(2026, *day, hour, minute, fold=fold, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (NIGHT, datetime(2026, 3, 11, 7, 0, tzinfo=ZoneInfo(SHANGHAI))),
        (NIGHT + timedelta(hours=3), datetime(2026, 3, 11, 7, 0, tzinfo=ZoneInfo(SHANGHAI))),
        (DAY, None),
        (datetime(2026, 3, 11, 7, 0, tzinfo=ZoneInfo(SHANGHAI)), None),
        (datetime(2026, 3, 10, 22, 0, tzinfo=ZoneInfo(SHANGHAI)), NIGHT + timedelta(hours=7.5)),
    ],
)
def test_quiet_hours_over_midnight(now, ends):
    assert end_of_quiet(now.astimezone(UTC), (time(22), time(7)), SHANGHAI) == ends


def test_quiet_hours_end_by_the_clock_when_the_clocks_change():
    quiet = time(22), time(7)
    spring = end_of_quiet(berlin((3, 28), 23).astimezone(UTC), quiet, "Europe/Berlin")
    autumn = end_of_quiet(berlin((10, 24), 23).astimezone(UTC), quiet, "Europe/Berlin")
    assert spring == berlin((3, 29), 7)
    assert autumn == berlin((10, 25), 7)
    assert spring - berlin((3, 28), 23).astimezone(UTC) == timedelta(hours=7)  # an hour shorter
    assert autumn - berlin((10, 24), 23).astimezone(UTC) == timedelta(hours=9)


def test_quiet_hours_that_begin_or_end_in_the_hour_left_out_or_repeated():
    quiet = time(1), time(2, 30)  # 02:30 does not exist on 29 March
    ends = end_of_quiet(berlin((3, 29), 1, 30).astimezone(UTC), quiet, "Europe/Berlin")
    assert ends == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    twice = end_of_quiet(berlin((10, 25), 2, 15, fold=1).astimezone(UTC), quiet, "Europe/Berlin")
    assert twice is None  # its first 02:30 has passed: nobody is kept waiting for the past


def test_the_digest_comes_at_its_hour_once_a_day_also_when_the_clocks_change():
    zone = "Europe/Berlin"
    assert digest_day(berlin((3, 29), 7, 59).astimezone(UTC), 8, zone) is None
    assert str(digest_day(berlin((3, 29), 8).astimezone(UTC), 8, zone)) == "2026-03-29"
    assert str(digest_day(berlin((3, 29), 3, 30).astimezone(UTC), 2, zone)) == "2026-03-29"
    assert str(digest_day(berlin((10, 25), 2, fold=1).astimezone(UTC), 2, zone)) == "2026-10-25"


@pytest.fixture
def mail(as_):
    """North and South have a mail server each (nothing is sent here)."""
    made = {}
    for who in ("amy", "qin"):
        with (ctx := as_(who)).writing("test"):
            channel = Channel(
                name=f"Mail of {who}",
                kind=ChannelKind.EMAIL,
                config={"host": "mail.example", "sender": "apm@example.com"},
                secret="",
                tail="",
                topics=[],
                language="en",
            )
            ctx.session.add(channel)
        made[who] = channel.id
    return made


@pytest.fixture
def wants(as_, mail):
    def choose(who, topics, **more):
        wishes = {
            "topics": topics,
            "ways": frozenset(mail.values()),
            "addresses": {},
            "quiet_from": None,
            "quiet_until": None,
            "urgent_breaks": False,
            "digest_hour": 8,
            **more,
        }
        choose_rules(as_(who), wishes=Wishes(**wishes))

    return choose


def tell(as_, who, kind, now, event_id=7, no="R-1"):
    ctx = as_("system", now=lambda: now)
    news = News(kind, {"no": no}, f"/requests/{no}")
    return send(ctx, event_id=event_id, user_ids=[as_(who).actor.user_id], news=news)


def outgoing(as_):
    return list(as_("system").session.scalars(select(Delivery).order_by(Delivery.id)))


def test_a_message_at_night_waits_for_the_morning(as_, wants):
    wants("wang", {Topic.REPORT: Choice.NOW}, quiet_from="22:00", quiet_until="07:00")
    tell(as_, "wang", "request_reported", NIGHT)
    [one] = outgoing(as_)
    assert one.next_at == datetime(2026, 3, 11, 7, 0, tzinfo=ZoneInfo(SHANGHAI))


@pytest.mark.parametrize(("breaks", "hour"), [(True, 23), (False, 7)])
def test_an_urgent_one_breaks_through_only_if_the_person_says_so(as_, wants, breaks, hour):
    wants("wang", {}, quiet_from="22:00", quiet_until="07:00", urgent_breaks=breaks)
    tell(as_, "wang", "request_urgent", NIGHT)
    [one] = outgoing(as_)
    assert one.next_at.astimezone(ZoneInfo(SHANGHAI)).hour == hour


def test_by_day_it_goes_at_once(as_, wants):
    wants("wang", {}, quiet_from="22:00", quiet_until="07:00")
    tell(as_, "wang", "request_reported", DAY)
    assert outgoing(as_)[0].next_at == DAY


def test_what_nobody_wants_is_not_even_in_the_program(as_, wants):
    wants("wang", {Topic.REPORT: Choice.OFF, Topic.ASSIGNED: Choice.APP})
    assert tell(as_, "wang", "request_reported", DAY) == 0
    assert tell(as_, "wang", "assigned", DAY, event_id=8) == 1
    assert outgoing(as_) == []


def test_a_digest_gathers_what_was_not_read_and_comes_once(as_, wants, login):
    wants("wang", {Topic.REPORT: Choice.DIGEST}, digest_hour=8)
    for number in (1, 2, 3):
        tell(as_, "wang", "request_reported", DAY, event_id=number, no=f"R-{number}")
    tell(as_, "qin", "request_reported", DAY, event_id=9, no="R-9")
    wang = as_("wang")
    read = wang.session.scalars(select(Notification).where(Notification.event_id == 2)).one()
    login("wang").get(f"/inbox/{read.id}")
    assert outgoing(as_) == []
    before, after = (DAY.replace(day=11, hour=h, minute=59) for h in (7, 8))
    assert make_digests(as_("system", now=lambda: before)) == 0
    assert make_digests(as_("system", now=lambda: after)) == 1
    assert make_digests(as_("system", now=lambda: after)) == 0
    [one] = outgoing(as_)
    assert [item["params"]["no"] for item in one.params["items"]] == ["R-1", "R-3"]
    assert (one.kind, one.params["n"], one.next_at) == ("digest", 2, after)
    tell(as_, "wang", "request_reported", after, event_id=20, no="R-20")
    assert make_digests(as_("system", now=lambda: after)) == 0  # that is for tomorrow
    assert make_digests(as_("system", now=lambda: after + timedelta(days=1))) == 1


FORM = {
    "topic_report": "digest",
    "quiet_from": "22:00",
    "quiet_until": "06:30",
    "digest_hour": "7",
}


def test_the_page_says_what_holds_and_keeps_what_is_chosen(as_, login, mail):
    wang = login("wang")
    page = wang.get("/account/notifications").get_data(as_text=True)
    assert "Mail of amy" in page
    assert "Mail of qin" not in page
    answer = wang.post("/account/notifications", data={**FORM, "ways": str(mail["amy"])})
    assert answer.status_code == 303
    chosen = as_("wang").session.scalars(select(Preference)).one()
    assert chosen.topics == {"report": "digest"}
    assert (chosen.quiet_from, chosen.quiet_until, chosen.digest_hour) == ("22:00", "06:30", 7)
    assert chosen.ways == [mail["amy"]]
    assert as_("qin").session.scalars(select(Preference)).all() == []


def test_the_channel_of_another_hospital_is_no_way(as_, login, mail):
    login("wang").post("/account/notifications", data={**FORM, "ways": str(mail["qin"])})
    assert as_("wang").session.scalars(select(Preference)).one().ways == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": "25:00"},
        {"quiet_until": ""},
        {"topic_report": "yesterday"},
        {"digest_hour": "24"},
    ],
)
def test_nonsense_is_refused_beside_its_field(as_, login, mail, wrong):
    answer = login("wang").post("/account/notifications", data={**FORM, **wrong})
    assert answer.status_code == 422
    assert "Please correct the marked fields" in answer.get_data(as_text=True)
    assert as_("wang").session.scalars(select(Preference)).all() == []


def test_who_somebody_is_elsewhere_is_kept_out_of_the_trail(as_, login):
    with (amy := as_("amy")).writing("test"):
        app = Channel(
            name="WeCom",
            kind=ChannelKind.WECOM_APP,
            config={},
            secret="",
            tail="",
            topics=[],
            language="en",
        )
        amy.session.add(app)
    wang = login("wang")
    data = {**FORM, "ways": str(app.id), f"address_{app.id}": "@all"}
    assert wang.post("/account/notifications", data=data).status_code == 422
    data[f"address_{app.id}"] = "WangLei-7"
    assert wang.post("/account/notifications", data=data).status_code == 303
    chosen = as_("wang").session.scalars(select(Preference)).one()
    assert chosen.addresses == {str(app.id): "WangLei-7"}
    assert "WangLei-7" not in login("zhao").get("/admin/audit").get_data(as_text=True)


def test_the_hospital_decides_the_zone(as_):
    assert own_hospital(as_("wang")).timezone == SHANGHAI
