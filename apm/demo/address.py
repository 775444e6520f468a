"""Where the demo can be reached: a free port, the address in the local network, a QR code."""

from __future__ import annotations

import socket
from io import StringIO

import qrcode

PORTS_TRIED = 50
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  (names the choice, does not bind)
DOCUMENTATION = ("192.0.2.1", 9)
"""An address reserved for documentation (RFC 5737): asked for a route, sent nothing."""


def free_port(host: str, wanted: int) -> int:
    """Return the first port from `wanted` on that nobody listens on (0: any).

    Raises:
        OSError: none of the next ones is free, or the host is not ours.
    """
    last: OSError = OSError(f"no port from {wanted} on is free")
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                last = error
            else:
                return int(probe.getsockname()[1])
    raise last


def lan_address() -> str | None:
    """Return this machine's address in the local network, None if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(DOCUMENTATION)
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def urls(host: str, port: int) -> tuple[str, str | None]:
    """Return the URL on this machine, and the one for phones if there is one."""
    if host not in ANYWHERE:
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}", None
    found = lan_address()
    return f"http://127.0.0.1:{port}", f"http://{found}:{port}" if found else None


def terminal_qr(text: str) -> str:
    """Return a QR code drawn with half blocks, for a dark terminal."""
    code = qrcode.QRCode(border=2, error_correction=qrcode.constants.ERROR_CORRECT_L)
    code.add_data(text)
    drawn = StringIO()
    code.print_ascii(out=drawn, invert=True)
    return drawn.getvalue()
