"""Where a collector may go: the hospital's own network and this machine, no cloud's metadata."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from apm.collecting.failures import LineFailed, Reason

HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
)
METADATA = [
    ip_network(n)
    for n in (
        "169.254.0.0/16", "fe80::/10", "168.63.129.16/32", "100.100.100.200/32",
        "192.0.0.192/32", "fd00:ec2::254/128",
    )
]  # fmt: skip
"""Link-local addresses, among them clouds' metadata services, and such services elsewhere."""
MOST = 3


def is_host(text: str) -> bool:
    """Tell whether this can be a host: a name, or an IP address without brackets.

    >>> [is_host(t) for t in ("gw-1.hospital.cn", "10.0.0.7", "fe80::1", "a b", "-x", "")]
    [True, True, True, False, False, False]
    """
    return HOST.fullmatch(text) is not None


def is_url(text: str, schemes: frozenset[str]) -> bool:
    """Tell whether this is an address of one of the schemes, with a host and no password in it.

    >>> [is_url(u, frozenset({"http"})) for u in ("http://a/x", "file:///etc", "http://u:p@a", "http://[")]
    [True, False, False, False]
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return (
        parts.scheme in schemes
        and is_host(host)
        and "@" not in parts.netloc
        and (port is None or 0 < port < 65536)
        and text.isprintable()
        and " " not in text
    )


def may_reach(address: str) -> bool:
    """Tell whether a collector may connect to an IP address.

    >>> [may_reach(a) for a in ("10.1.2.3", "127.0.0.1", "169.254.169.254", "224.0.0.1")]
    [True, True, False, False]
    >>> may_reach("::ffff:169.254.169.254")
    False
    """
    found = ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    if inner.is_multicast or inner.is_unspecified:
        return False
    return not any(inner in network for network in METADATA if network.version == inner.version)


def resolve(host: str, port: int) -> list[str]:
    """Return the first few addresses of a host.

    Raises:
        LineFailed: there is none, or one of them may not be reached: then none is used.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        raise LineFailed(Reason.NAME, host) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise LineFailed(Reason.NAME, host)
    if not all(may_reach(address) for address in addresses):
        raise LineFailed(Reason.TARGET, host)
    return addresses[:MOST]
