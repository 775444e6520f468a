"""Messages leave the program: at least once, each in its receiver's language, never a secret."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.commands import set_language
from apm.accounts.queries import system_actor
from apm.core.audit import AuditEntry
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.core.sealing import seal, tail_of
from apm.core.settings import Settings
from apm.notify import channel_commands, delivering
from apm.notify.channel_commands import Details, add_channel
from apm.notify.channel_forms import read
from apm.notify.commands import send
from apm.notify.delivering import claim, send_due
from apm.notify.health import FAILING_FROM
from apm.notify.messages import News
from apm.notify.model import Channel, Delivery, DeliveryState, Notification
from apm.notify.topics import ChannelKind
from apm.worker.delivery import deliver
from tests.apm.servers import mail_server, web_server

pytestmark = pytest.mark.database
KEY = "only for tests"
SETTINGS = Settings("sqlite://", KEY, "https://apm.example", "", allow_private_targets="all")  # type: ignore[arg-type]
PASSWORD = "mail-password-0123456789"


@pytest.fixture
def mail():
    with mail_server() as running:
        yield running


@pytest.fixture
def web():
    with web_server() as running:
        yield running


@pytest.fixture
def add(as_):
    """Add a channel of North as its administrator does."""

    def make(kind, who="amy", topics=(), language="en", **typed):
        filled = read(kind, typed)
        assert filled.errors == {}
        details = Details(
            name=f"{kind.value} of {who}",
            config=filled.config,
            topics=list(topics),
            language=language,
            secret=seal(KEY, filled.secret),
            tail=tail_of(next(iter(filled.secret.values()), "")),
        )
        return add_channel(as_(who), kind=kind, details=details)

    return make


@pytest.fixture
def mail_channel(add, mail):
    return add(
        ChannelKind.EMAIL,
        host="127.0.0.1",
        port=str(mail.port),
        security="none",
        sender="apm@north.example",
    )


def tell(as_, *names, event_id=7, kind="request_urgent", no="R-1", **clock):
    ctx = as_("system", **clock)
    people = [as_(name).actor.user_id for name in names]
    send(ctx, event_id=event_id, user_ids=people, news=News(kind, {"no": no}, f"/requests/{no}"))


def run(as_, now=None, settings=SETTINGS):
    ctx = as_("system", **({"now": lambda: now} if now else {}))
    with ctx.session:
        return send_due(ctx, settings)


def deliveries(as_):
    with as_("system").session as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def test_a_message_goes_by_mail_with_a_link_in_the_readers_language(as_, mail, mail_channel):
    set_language(as_("wang"), language="zh")
    tell(as_, "wang")
    assert run(as_) == 1
    [message] = mail.received
    assert message["To"] == "wang@north.example"
    assert message["Auto-Submitted"] == "auto-generated"
    [notice] = as_("system").session.scalars(select(Notification)).all()
    text = message.get_content()
    assert f"https://apm.example/inbox/{notice.id}" in text
    assert "R-1" in message["Subject"]
    assert "Urgent" not in message["Subject"]
    [one] = deliveries(as_)
    assert (one.state, one.attempts, one.next_at) == (DeliveryState.SENT, 1, None)


def test_the_same_event_is_sent_once_to_each(as_, mail, mail_channel):
    tell(as_, "wang")
    tell(as_, "wang")
    run(as_)
    tell(as_, "wang")
    run(as_)
    assert len(mail.received) == 1


def test_somebody_who_wants_it_only_in_the_program_gets_no_mail(as_, mail, mail_channel):
    tell(as_, "zhao")  # a manager: urgent reports stand in the program by default
    assert run(as_) == 0
    assert len(as_("system").session.scalars(select(Notification)).all()) == 1


def test_killed_between_sending_and_marking_it_goes_again_and_looks_the_same(
    as_, mail, mail_channel
):
    tell(as_, "wang")
    sends, refused = claim(as_("system"), settings=SETTINGS)
    assert refused == {}
    for one in sends.values():
        one()  # and here the worker dies: nothing was settled
    assert run(as_) == 0  # not at once: the claim holds
    later = utc_now() + delivering.CLAIM + timedelta(seconds=1)
    assert run(as_, later) == 1
    first, second = mail.received
    assert first["Message-ID"] == second["Message-ID"]
    [one] = deliveries(as_)
    assert (one.state, one.attempts) == (DeliveryState.SENT, 2)


def test_nothing_is_sent_inside_a_transaction(as_, web, add):
    add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url)
    ctx = as_("system")
    open_then = []

    def answer(_seen):
        open_then.append(ctx.session.in_transaction())
        with (other := as_("amy")).writing("test.write"):  # SQLite has one writer: not us
            other.session.add(
                Notification(
                    user_id=other.actor.user_id,
                    event_id=99,
                    kind="test",
                    params={},
                    url="/",
                    at=other.now(),
                )
            )
        return 200, {}

    web.answer = answer
    tell(as_)
    assert send_due(ctx, SETTINGS) == 1
    assert open_then == [False]
    assert len(web.seen) == 1


def test_a_failure_is_tried_again_with_growing_pauses_and_given_up(as_, web, add):
    add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url)
    web.answer = lambda _seen: (503, {})
    tell(as_)
    now, pauses = utc_now(), []
    for _turn in range(200):
        [one] = deliveries(as_)
        if one.state is DeliveryState.DEAD:
            break
        now = max(now, one.next_at) + timedelta(seconds=1)
        before = one.attempts
        run(as_, now)
        [one] = deliveries(as_)
        if one.next_at and one.attempts > before:
            pauses.append(round((one.next_at - now).total_seconds()))
    assert one.state is DeliveryState.DEAD
    assert one.attempts == len(web.seen) == delivering.MOST_ATTEMPTS
    assert one.error == "answer:HTTP 503"
    assert pauses[:4] == [30, 60, 120, 240]
    assert max(pauses) <= 3600


def test_a_dead_channel_holds_its_messages_tells_the_administrator_and_heals(as_, web, add):
    channel = add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url)
    web.answer = lambda _seen: (500, {})
    for number in range(FAILING_FROM):
        tell(as_, event_id=100 + number)
    now = utc_now()
    run(as_, now + timedelta(seconds=1))
    seen = len(web.seen)
    assert seen == FAILING_FROM
    later = lambda: now + timedelta(seconds=5)  # noqa: E731
    deliver(Context(as_("system").session, system_actor(None), later))
    [notice] = as_("system").session.scalars(select(Notification)).all()
    assert (notice.kind, notice.user_id) == ("channel_fails", as_("amy").actor.user_id)
    tell(as_, event_id=200)
    run(as_, now + timedelta(seconds=40))  # the first five are due again, and the new one
    assert len(web.seen) == seen  # but the channel rests
    found = as_("amy").session.get(Channel, channel.id)
    assert found.failing_since is not None
    web.answer = lambda _seen: (200, {})
    run(as_, now + timedelta(seconds=70))
    assert len(web.seen) == seen + 1  # one is tried
    found = as_("amy").session.get(Channel, channel.id)
    assert (found.fails, found.failing_since, found.last_error) == (0, None, None)
    run(as_, now + timedelta(minutes=20))
    assert {one.state for one in deliveries(as_)} == {DeliveryState.SENT}


def test_messages_to_a_channel_that_was_removed_are_given_up(as_, web, add):
    channel = add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url)
    tell(as_)
    channel_commands.remove_channel(as_("amy"), channel_id=channel.id)
    run(as_)
    [one] = deliveries(as_)
    assert (one.state, one.error, web.seen) == (DeliveryState.DEAD, "off", [])


def test_an_unknown_receiver_is_not_the_channels_fault(as_, mail, mail_channel):
    mail.refuse = "550 No such user mail-password-0123456789"
    tell(as_, "wang")
    run(as_)
    [one] = deliveries(as_)
    assert one.state is DeliveryState.DEAD
    assert one.error.startswith("receiver:550 No such user")
    assert as_("amy").session.get(Channel, mail_channel.id).fails == 0


def test_a_wrong_mail_password_is_said_without_the_password(as_, add, caplog):
    caplog.set_level(logging.DEBUG)
    with mail_server(password="the right one") as mail:
        add(
            ChannelKind.EMAIL,
            host="127.0.0.1",
            port=str(mail.port),
            security="none",
            sender="apm@north.example",
            user="apm",
            password=PASSWORD,
        )
        tell(as_, "wang")
        run(as_)
        assert mail.received == []
    [one] = deliveries(as_)
    assert one.error == "login:535"
    ctx = as_("amy")
    trail = [row.changes for row in ctx.session.scalars(select(AuditEntry))]
    channel = ctx.session.scalars(select(Channel)).one()
    assert channel.tail == PASSWORD[-4:]
    for text in (str(trail), caplog.text, channel.secret, str(channel.config), one.error):
        assert PASSWORD not in text


def test_a_secret_sealed_under_another_key_says_what_to_do(as_, mail_channel):
    tell(as_, "wang")
    other = Settings("", "changed", "http://x", "", allow_private_targets="all")  # type: ignore[arg-type]
    run(as_, settings=other)
    assert deliveries(as_)[0].error == "sealed"


def test_this_machine_is_out_of_reach_unless_allowed(as_, web, add):
    add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url)
    tell(as_)
    run(as_, settings=Settings("", KEY, "http://x", ""))  # type: ignore[arg-type]
    [one] = deliveries(as_)
    assert (one.state, one.error, web.seen) == (DeliveryState.DEAD, "target", [])


def test_a_redirect_is_not_followed(as_, web, add):
    add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url + "/first")
    web.answer = lambda _seen: (302, {}, {"Location": web.url + "/elsewhere"})
    tell(as_)
    run(as_)
    assert [seen.path for seen in web.seen] == ["/first"]
    assert deliveries(as_)[0].error == "redirect:HTTP 302"


@pytest.mark.parametrize(
    ("kind", "token", "path", "ok", "bad"),
    [
        (
            ChannelKind.WECOM_ROBOT,
            "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
            "/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
            {"errcode": 0, "errmsg": "ok"},
            {"errcode": 93000, "errmsg": "invalid webhook url"},
        ),
        (
            ChannelKind.DINGTALK,
            "abc123abc123abc123",
            "/robot/send?access_token=abc123abc123abc123",
            {"errcode": 0, "errmsg": "ok"},
            {"errcode": 310000, "errmsg": "keywords not in content"},
        ),
        (
            ChannelKind.FEISHU,
            "abc12345-1234-1234-1234-123456789012",
            "/open-apis/bot/v2/hook/abc12345-1234-1234-1234-123456789012",
            {"code": 0, "msg": "success"},
            {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"},
        ),
    ],
)
def test_a_robot_that_refuses_with_status_200_is_believed(
    as_, web, add, kind, token, path, ok, bad
):
    """These services answer 200 to everything and say in the body whether it was taken."""
    add(kind, topics=["urgent"], address=token, base_url=web.url, language="zh")
    web.answer = lambda _seen: (200, bad)
    tell(as_)
    now = utc_now()
    run(as_, now + timedelta(seconds=1))
    [one] = deliveries(as_)
    assert one.state is DeliveryState.FAILED
    assert token not in one.error
    web.answer = lambda _seen: (200, ok)
    run(as_, now + timedelta(minutes=2))
    assert deliveries(as_)[0].state is DeliveryState.SENT
    assert web.seen[-1].path == path
    assert "R-1" in web.seen[-1].body.decode()
    assert "https://apm.example/requests/R-1" in web.seen[-1].body.decode()


def test_the_other_hospital_sends_nothing_and_sees_nothing(as_, web, add):
    with (qin := as_("qin")).writing("test"):
        qin.session.add(
            Channel(
                name="South",
                kind=ChannelKind.WEBHOOK,
                config={},
                secret=seal(KEY, {"url": web.url}),
                tail="",
                topics=["urgent"],
                language="en",
            )
        )
    tell(as_)
    assert run(as_) == 0
    assert as_("qin").session.scalars(select(Delivery)).all() == []
    add(ChannelKind.WEBHOOK, topics=["urgent"], url=web.url)
    tell(as_, event_id=8)
    assert (
        send_due(Context(as_("qin").session, system_actor(as_("qin").actor.hospital_id)), SETTINGS)
        == 0
    )
    assert run(as_) == 1
