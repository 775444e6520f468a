"""Secrets in addresses: how a link's token is made, and what guessing one gets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

from flask import current_app, request

from apm.core.codes import new_token
from apm.core.command import Context
from apm.core.limits import limit

MISSES, MISSES_WITHIN = 60, timedelta(minutes=10)
"""Wrong addresses that one sender may try; a hospital's phones may share an address."""
SHORTEST, LONGEST = 8, 64


def keyed(text: str) -> bytes:
    """Return the HMAC of a text under the program's secret key."""
    secret = current_app.config["APM_SETTINGS"].secret_key
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def form_key() -> str:
    """Return the random key of the form that was sent: the same form again has the same one."""
    nonce = request.form.get("nonce", "")
    return nonce if SHORTEST <= len(nonce) <= LONGEST else new_token()


def token_for(kind: str, hospital_id: int | None, key: str) -> str:
    """Return the secret of a link: 256 bits, the same for the same form, told by nothing else."""
    mac = keyed(f"{kind}:{hospital_id}:{key}")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def sender() -> str:
    """Return a digest of the sender's network address: enough to count, too little to trace."""
    return keyed(f"address:{request.remote_addr}").hex()[:32]


def count_miss(ctx: Context) -> None:
    """Count an address that leads nowhere; raise `TooMany` when one sender tries without end."""
    limit(ctx, f"miss:{sender()}", most=MISSES, within=MISSES_WITHIN)
