"""The signature by which a receiver knows that a body is ours, whole and fresh."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Apm-Signature"
DELIVERY = "X-Apm-Delivery"
EVENT = "X-Apm-Event"


def signature(secret: str, body: bytes, at: int) -> str:
    """Return the header's value for a body sent at `at` (Unix seconds).

    >>> signature("whsec_test", b"{}", 1)[:12]
    't=1,v1=7500d'
    """
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"
