"""HTTP pull: a JSON document read again and again, values at JSON pointers."""

from __future__ import annotations

import json
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import httpx

from apm.collecting.addresses import resolve
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import Poll, Sample, Secret
from apm.collecting.spec import PointSpec, Spec
from apm.collecting.values import NoValue, instant_of, number_of, pointed

TIMEOUT_S = 8.0
MOST_BYTES = 2 << 20
PORTS = {"http": 80, "https": 443}


class HttpPull(Poll):
    """Asks an address, follows no redirect, reads 2 MB at most."""

    def open(self) -> httpx.Client:
        """Return a client that goes where we say, past any proxy of the environment."""
        return httpx.Client(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S)

    def ask(self, device: Any) -> None:
        """Get the document and deliver its values."""
        document = fetch(device, self.spec, self.secret)
        readings = []
        for point in self.spec.points:
            try:
                value, at = value_in(document, point)
            except LineFailed as failure:
                self.feed.missing(point.sensor, failure)
                continue
            readings.append({"sensor": point.sensor, "value": value, "at": at, "quality": None})
        self.feed.take(readings)

    def close(self, device: Any) -> None:
        """Close the client."""
        device.close()


def value_in(document: object, point: PointSpec) -> tuple[float, Any]:
    """Return a point's value and its time (None: the document says none)."""
    config = point.config
    try:
        value = point.convert(number_of(pointed(document, config.get("pointer", ""))))
        where = config.get("time_pointer")
        return value, instant_of(pointed(document, where)) if where else None
    except NoValue:
        raise LineFailed(Reason.PLACE) from None


def fetch(client: httpx.Client, spec: Spec, secret: Secret) -> object:
    """Return the document at the connection's address.

    The connection goes to the address that was judged, not to what the name says a moment later.

    Raises:
        LineFailed: no answer, a redirect, an error, no JSON.
    """
    parts = urlsplit(spec.config["url"])
    url = httpx.URL(spec.config["url"])
    address = resolve(parts.hostname or "", parts.port or PORTS[parts.scheme])[0]
    headers = {"Host": url.netloc.decode(), "Accept": "application/json", "User-Agent": "apm"}
    if spec.config.get("header"):
        headers[spec.config["header"]] = secret.get("key", "")
    request = client.build_request(
        "GET", url.copy_with(host=address), headers=headers,
        extensions={"sni_hostname": parts.hostname},
    )  # fmt: skip
    status, body = _exchange(client, request)
    if 300 <= status < 400:
        raise LineFailed(Reason.REDIRECT, f"HTTP {status}")
    if status in {401, 403}:
        raise LineFailed(Reason.LOGIN, f"HTTP {status}")
    if not 200 <= status < 300:
        raise LineFailed(Reason.ANSWER, f"HTTP {status}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise LineFailed(Reason.NOT_JSON) from None


def _exchange(client: httpx.Client, request: httpx.Request) -> tuple[int, bytes]:
    deadline = time.monotonic() + TIMEOUT_S
    try:
        response = client.send(request, stream=True)
        try:
            return response.status_code, _read(response, deadline)
        finally:
            response.close()
    except httpx.TimeoutException:
        raise LineFailed(Reason.TIMEOUT) from None
    except httpx.ConnectError as error:
        raise LineFailed(Reason.TLS if _is_tls(error) else Reason.CONNECT) from None
    except httpx.HTTPError:
        raise LineFailed(Reason.BROKEN) from None


def _read(response: httpx.Response, deadline: float) -> bytes:
    found = b""
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) > MOST_BYTES:
            raise LineFailed(Reason.ANSWER, "> 2 MB")
        if time.monotonic() > deadline:  # a server that answers a byte at a time
            raise LineFailed(Reason.TIMEOUT)
    return found


def _is_tls(error: BaseException) -> bool:
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLError):
            return True
        found = found.__cause__ or found.__context__
    return False


def probe(spec: Spec, secret: Secret) -> list[Sample]:
    """Ask once."""
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S) as client:
        document = fetch(client, spec, secret)
    found = []
    for point in spec.points:
        try:
            value, at = value_in(document, point)
        except LineFailed as failure:
            found.append(Sample(point.sensor, None, None, failure.stored))
        else:
            found.append(Sample(point.sensor, value, at))
    return found


LINE = HttpPull
