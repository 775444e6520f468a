"""OPC UA signed and encrypted: the strongest policy of both, and only with the device accepted.

A person accepts the device's certificate once, by its fingerprint; a device that then shows
another is not spoken to: neither a password nor a question reaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies, uacrypto
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from apm.collecting.certificates import fingerprint_of
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import Secret
from apm.collecting.spec import Spec

POLICIES: tuple[Any, ...] = (
    security_policies.SecurityPolicyAes256Sha256RsaPss,
    security_policies.SecurityPolicyAes128Sha256RsaOaep,
    security_policies.SecurityPolicyBasic256Sha256,
)
"""The strongest first; what stands on SHA-1 is not spoken."""
_first_of: Callable[[bytes | None], x509.Certificate | None] = uacrypto.x509_from_der
"""The first of a chain; the library gives no types."""
MODE = ua.MessageSecurityMode.SignAndEncrypt


async def secure(client: Client, spec: Spec, secret: Secret) -> None:
    """Make a client sign and encrypt, before it connects.

    Raises:
        LineFailed: the device offers no encryption that is safe, or shows a certificate that
            nobody has accepted; its fingerprint is the detail.
    """
    if "identity" not in secret:
        raise LineFailed(Reason.SEALED)
    policy, shown = _best(await client.connect_and_get_server_endpoints())
    fingerprint, accepted = fingerprint_of(shown), spec.config.get("fingerprint")
    if fingerprint != accepted:
        raise LineFailed(Reason.CHANGED if accepted else Reason.UNTRUSTED, fingerprint)
    await client.set_security(
        policy,
        uacrypto.CertProperties(spec.config["certificate"].encode(), "pem"),
        uacrypto.CertProperties(secret["identity"].encode(), "pem"),
        server_certificate=uacrypto.CertProperties(shown.public_bytes(Encoding.DER), "der"),
        mode=MODE,
    )


def _best(offers: Iterable[ua.EndpointDescription]) -> tuple[Any, x509.Certificate]:
    for policy in POLICIES:
        for offer in offers:
            if offer.SecurityPolicyUri != policy.URI or offer.SecurityMode != MODE:
                continue
            if (shown := _first_of(offer.ServerCertificate)) is not None:
                return policy, shown
    raise LineFailed(Reason.NO_ENCRYPTION)
