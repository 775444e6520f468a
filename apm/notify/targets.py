"""Where we may send: names are resolved here, judged, and the judged address is the one used.

An administrator types addresses that our server then connects to.  Without this, a channel or a
webhook could read what only this machine may (a cloud's metadata, services on loopback).
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from apm.notify.sending import Reason, SendFailed

OWN_NETWORKS = [ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
OWN_NETWORKS_6 = ip_network("fc00::/7")
NAT64 = ip_network("64:ff9b::/96")
METADATA = frozenset(
    ip_address(a) for a in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
"""Addresses of clouds' metadata services that are neither link-local nor reserved."""


MOST = 3
"""Addresses of one name that are tried: a server may have one that has no way from here."""


def may_reach(address: str, reach: str) -> bool:
    """Tell whether an IP address is allowed under `APM_ALLOW_PRIVATE_TARGETS`.

    >>> [may_reach(a, "private") for a in ("8.8.8.8", "10.1.2.3", "127.0.0.1", "169.254.169.254")]
    [True, True, False, False]
    >>> may_reach("::ffff:127.0.0.1", "private"), may_reach("10.1.2.3", "none")
    (False, False)
    """
    if reach == "all":
        return True
    found = _plain(ip_address(address.partition("%")[0]))
    if found in METADATA or found.is_multicast:
        return False
    if found.is_global:
        return True
    if reach != "private":
        return False
    if isinstance(found, IPv6Address):
        return found in OWN_NETWORKS_6
    return any(found in network for network in OWN_NETWORKS)


def _plain(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(found, IPv6Address):
        if found in NAT64:
            return IPv4Address(int(found) & 0xFFFFFFFF)
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return inner
        if found.teredo is not None:
            return ipaddress.IPv6Address("::")  # a tunnel to anywhere: as good as this machine
    return found


def resolve(host: str, port: int, reach: str) -> list[str]:
    """Return the first few addresses of `host`, those to be tried first in front.

    Raises:
        SendFailed: there is none, or one of them may not be reached: then none is used.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        raise SendFailed(Reason.NAME) from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise SendFailed(Reason.NAME)
    if not all(may_reach(address, reach) for address in addresses):
        raise SendFailed(Reason.TARGET, permanent=True)
    return list(dict.fromkeys(addresses))[:MOST]
