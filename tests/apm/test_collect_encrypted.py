"""OPC UA encrypted: both sides accept each other's certificate, and nobody comes in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import pytest
from cryptography import x509

from apm.collecting.certificates import fingerprint_of, new_identity
from apm.collecting.failures import Reason, problem_text
from apm.demo.devices import OpcUaDevice
from tests.apm.devices import add_sensors
from tests.processes import free_port

SENSOR = "OPC-1"


def text(answer) -> str:
    return unescape(answer.text)


@contextmanager
def device(port: int, identity=None, accepts=bool) -> Iterator[None]:
    made = OpcUaDevice(
        "127.0.0.1", port, [SENSOR], lambda: {SENSOR: 4.0}, identity=identity, accepts=accepts
    )
    made.start()
    try:
        yield
    finally:
        made.stop()


@pytest.fixture
def page(login, as_):
    """The page of an encrypted connection as an engineer sees it; `{port}` in its address."""
    add_sensors(as_("wang"), SENSOR)
    wang, port = login("wang"), free_port()
    form = {
        "protocol": "opcua", "name": "Chiller", "url": f"opc.tcp://127.0.0.1:{port}/",
        "security": "encrypted", "period_s": "1", "max_skew_s": "30", "user": "", "password": "",
    }  # fmt: skip
    address = wang.post("/connections/new", data=form).headers["Location"]
    point = {"sensor": SENSOR, "node": f"ns=2;s={SENSOR}", "scale": "1", "offset": "0", "unit": ""}
    assert wang.post(f"{address}/points/new", data=point).status_code == 303
    return wang, address, port


def says(reason: Reason, answer) -> bool:
    return problem_text(reason) in text(answer)


def test_both_sides_accept_each_other_once_and_a_stranger_is_not_spoken_to(page):
    wang, address, port = page
    known: set[str] = set()
    asked: list[str] = []
    identity, other = new_identity(), new_identity()

    def accepts(fingerprint: str) -> bool:
        asked.append(fingerprint)
        return fingerprint in known

    with device(port, identity, accepts):
        first = wang.post(f"{address}/test")
        assert says(Reason.UNTRUSTED, first)
        assert asked == []  # it was asked what it offers, and nothing more
        [shown] = set(re.findall(r'name="fingerprint" value="([0-9A-F:]+)"', first.text))
        assert shown == fingerprint_of(identity[0])
        wang.post(f"{address}/accept", data={"fingerprint": shown})
        assert says(Reason.REFUSED_US, wang.post(f"{address}/test"))

        file = wang.get(f"{address}/certificate")
        ours = fingerprint_of(x509.load_der_x509_certificate(file.data))
        assert set(asked) == {ours}
        assert ours in wang.get(address).text.replace("<wbr>", "")
        known.add(ours)
        worked = wang.post(f"{address}/test")
        assert "The test worked" in worked.text
        assert re.search(r">4\.?0*</td>", worked.text)

    asked.clear()
    with device(port, other, accepts):
        again = wang.post(f"{address}/test")
        assert says(Reason.CHANGED, again)
        assert fingerprint_of(other[0]) in again.text
    assert asked == []


def test_a_device_without_encryption_is_not_read_in_the_open(page):
    wang, address, port = page
    with device(port):
        assert says(Reason.NO_ENCRYPTION, wang.post(f"{address}/test"))


def test_the_certificate_stays_when_settings_change_and_a_password_goes_nowhere_else(page):
    wang, address, _port = page
    before = wang.get(f"{address}/certificate").data
    form = {
        "name": "Chiller 2", "url": "opc.tcp://10.0.0.8:4840/", "security": "encrypted",
        "period_s": "1", "max_skew_s": "30", "user": "apm", "password": "typed", "fingerprint": "",
    }  # fmt: skip
    assert wang.post(f"{address}/edit", data=form).status_code == 303
    assert wang.get(f"{address}/certificate").data == before
    moved = {**form, "url": "opc.tcp://10.0.0.9:4840/", "password": ""}
    assert "Enter the secret again" in text(wang.post(f"{address}/edit", data=moved))
    bare = {**form, "security": "none", "password": ""}
    assert "Enter the secret again" in text(wang.post(f"{address}/edit", data=bare))
    wrong = {**form, "fingerprint": "AB:CD"}
    assert "64 digits" in text(wang.post(f"{address}/edit", data=wrong))
    assert wang.post(f"{address}/accept", data={"fingerprint": "AB"}).status_code == 422
