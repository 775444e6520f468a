"""Headers on every answer, and no change asked for by another site."""

from __future__ import annotations

from flask import Request, Response, request

from apm.core.errors import NotAllowed
from apm.core.i18n import _l

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",  # the QR reader is WebAssembly
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_foreign_origin(incoming: Request) -> None:
    """Refuse a change that a page of another site asked this browser to make.

    `Sec-Fetch-Site` decides where the browser sends it; plain HTTP on a LAN and old web views do
    not, there `Origin` must be ours.  A script without either (curl, a device) carries no cookie.
    """
    if incoming.method in SAFE_METHODS:
        return
    site = incoming.headers.get("Sec-Fetch-Site")
    origin = incoming.headers.get("Origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    elif origin is not None:
        is_ours = origin in {f"http://{incoming.host}", f"https://{incoming.host}"}
    else:
        is_ours = not incoming.cookies
    if not is_ours:
        raise NotAllowed(
            _l("This form was sent from another site. Open it here and send it again."),
            code="foreign_origin",
        )


def add_headers(response: Response) -> Response:
    """Add the security headers; keep pages of signed-in people out of shared caches."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response
