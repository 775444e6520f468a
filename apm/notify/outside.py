"""HTTP to other servers: the address judged and pinned, no redirects, short, bounded."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from apm.notify.sending import Reason, SendFailed
from apm.notify.targets import resolve

TIMEOUT_S = 10.0
MOST_BYTES = 64 * 1024
"""More of an answer is not read."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    content: bytes

    def json(self) -> dict[str, Any]:
        """Return the object that was answered, or raise `SendFailed`."""
        try:
            found = json.loads(self.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SendFailed(Reason.ANSWER, f"HTTP {self.status}")
        return found


def is_address(url: str) -> bool:
    """Tell whether this is an http(s) address with a host and without a password in it.

    >>> [is_address(u) for u in ("https://a.example/x?k=1", "http://u:p@a", "http://[", "ftp://a")]
    [True, False, False, False]
    """
    try:
        parsed, split = httpx.URL(url), urlsplit(url)
        port = parsed.port or split.port or 80
    except (httpx.InvalidURL, ValueError):
        return False
    host_fits = bool(parsed.host) and "%" not in parsed.host
    return parsed.scheme in PORTS and host_fits and not parsed.userinfo and 0 < port < 65536


def post(
    url: str,
    content: bytes,
    *,
    reach: str,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """POST bytes (JSON unless the headers say otherwise) and return the answer, whatever status.

    The connection goes to the address that was judged, not to what the name says a moment later.

    Raises:
        SendFailed: no answer, or a redirect: those are not followed.
    """
    if not is_address(url):
        raise SendFailed(Reason.TARGET, permanent=True)
    parsed = httpx.URL(url)
    port = parsed.port or PORTS[parsed.scheme]
    deadline = time.monotonic() + timeout_s
    addresses = resolve(parsed.host, port, reach)
    for address in addresses:
        request = _request(parsed, address, content, headers or {}, timeout_s)
        try:
            answer = _exchange(request, deadline)
            break
        except SendFailed as error:
            if error.reason is not Reason.CONNECT or address == addresses[-1]:
                raise
    if 300 <= answer.status < 400:
        raise SendFailed(Reason.REDIRECT, f"HTTP {answer.status}")
    return answer


def _request(
    parsed: httpx.URL,
    address: str,
    content: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
) -> httpx.Request:
    return httpx.Request(
        "POST",
        parsed.copy_with(host=address),
        content=content,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "apm",
            **headers,
            "Host": parsed.netloc.decode(),
        },
        extensions={
            "sni_hostname": parsed.host,  # the certificate must be the name's, not the address's
            "timeout": httpx.Timeout(timeout_s).as_dict(),
        },
    )


def _exchange(request: httpx.Request, deadline: float) -> Answer:
    try:
        # trust_env: a proxy would choose the address itself, past our judgement.
        with httpx.Client(trust_env=False, follow_redirects=False) as client:
            response = client.send(request, stream=True)
            try:
                return Answer(response.status_code, _read(response, deadline))
            finally:
                response.close()
    except httpx.TimeoutException:
        raise SendFailed(Reason.TIMEOUT) from None
    except httpx.ConnectError as error:
        raise SendFailed(Reason.TLS if _is_tls(error) else Reason.CONNECT) from None
    except httpx.HTTPError:  # it broke off after we had begun: the next address may be a repeat
        raise SendFailed(Reason.BROKEN) from None


def _read(response: httpx.Response, deadline: float) -> bytes:
    found = b""
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) >= MOST_BYTES:
            break
        if time.monotonic() > deadline:  # a server that answers a byte at a time
            raise SendFailed(Reason.TIMEOUT)
    return found[:MOST_BYTES]


def _is_tls(error: BaseException) -> bool:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
        if isinstance(error, ssl.SSLError):
            return True
    return False


def post_json(url: str, body: Any, *, reach: str) -> Answer:
    """POST an object; raise `SendFailed` unless the answer's status is 2xx."""
    answer = post(url, json.dumps(body, ensure_ascii=False).encode(), reach=reach)
    if not 200 <= answer.status < 300:
        raise SendFailed(Reason.ANSWER, f"HTTP {answer.status}")
    return answer
