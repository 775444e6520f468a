"""Where we connect to: judged by address, never by name, and no further than allowed."""

import socket

import pytest

from apm.notify.outside import post
from apm.notify.sending import Reason, SendFailed
from apm.notify.targets import may_reach, resolve
from tests.apm.servers import web_server

PUBLIC = ["8.8.8.8", "2606:4700::1111"]
OWN = ["10.0.0.5", "172.16.9.1", "192.168.1.1", "fd12:3456::1", "::ffff:10.0.0.5"]
NEVER = [
    "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "fe80::1%eth0",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "100.100.100.200", "100.64.0.1", "168.63.129.16", "fd00:ec2::254",
    "192.0.0.192", "224.0.0.1", "ff02::1", "255.255.255.255", "198.18.0.1", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_always_allowed(address):
    assert [may_reach(address, reach) for reach in ("none", "private", "all")] == [True] * 3


@pytest.mark.parametrize("address", OWN)
def test_the_hospitals_own_network_is_allowed_unless_closed(address):
    assert [may_reach(address, r) for r in ("none", "private", "all")] == [False, True, True]


@pytest.mark.parametrize("address", NEVER)
def test_this_machine_and_metadata_are_refused_unless_all_is_allowed(address):
    assert [may_reach(address, r) for r in ("none", "private", "all")] == [False, False, True]


def test_a_name_is_judged_by_where_it_leads():
    with pytest.raises(SendFailed) as failed:
        resolve("localhost", 80, "private")
    assert (failed.value.reason, failed.value.permanent) == (Reason.TARGET, True)
    with pytest.raises(SendFailed) as failed:
        resolve("no-such-name.invalid", 80, "private")
    assert failed.value.reason is Reason.NAME


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"])
def test_odd_spellings_of_this_machine_are_seen_through(host):
    with pytest.raises(SendFailed) as failed:
        post(f"http://{host}/", b"{}", reach="private")
    assert failed.value.reason in {Reason.TARGET, Reason.NAME}


def test_the_judged_address_is_used_and_the_server_still_hears_its_name():
    with web_server() as web:
        port = web.url.rpartition(":")[2]
        answer = post(f"http://localhost:{port}/x", b"{}", reach="all")  # perhaps ::1 comes first
        assert answer.status == 200
        assert web.seen[0].headers["Host"] == f"localhost:{port}"


def test_a_server_that_says_nothing_or_too_slowly_is_left():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(SendFailed) as failed:
            post(url, b"{}", reach="all", timeout_s=0.3)
    assert failed.value.reason is Reason.TIMEOUT


def test_an_endless_answer_is_cut():
    with web_server() as web:
        web.answer = lambda _seen: (200, b"x" * 1_000_000)
        assert len(post(web.url, b"{}", reach="all").content) == 64 * 1024
