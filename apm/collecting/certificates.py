"""The certificate by which a device knows us, and fingerprints of certificates.

Each encrypted connection has a self-signed certificate of its own (OPC 10000-6, 6.2.2): it is
accepted at one device, and goes with it.
"""

from __future__ import annotations

import socket

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

APPLICATION = "urn:apm:collector"
VALID_DAYS = 20 * 365
"""A device's list of certificates is rarely looked after: ours should outlive the device."""


def new_identity() -> tuple[str, str]:
    """Return a new certificate and its private key, both as PEM."""
    # Two seconds to load, for what is done once a device.
    from asyncua.crypto.cert_gen import (  # noqa: PLC0415
        dump_private_key_as_pem,
        generate_private_key,
        generate_self_signed_app_certificate,
    )

    key = generate_private_key()
    names: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(APPLICATION),
        x509.DNSName(socket.gethostname()),
    ]
    made = generate_self_signed_app_certificate(
        key, "apm collector", {}, names, [ExtendedKeyUsageOID.CLIENT_AUTH], days=VALID_DAYS
    )
    return made.public_bytes(Encoding.PEM).decode(), dump_private_key_as_pem(key).decode()


def as_file(pem: str) -> bytes:
    """Return a certificate as the DER that devices take."""
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


def fingerprint_of(certificate: x509.Certificate | str) -> str:
    """Return the SHA-256 of a certificate (or of its PEM) as devices show it: `AB:CD:…`."""
    if isinstance(certificate, str):
        certificate = x509.load_pem_x509_certificate(certificate.encode())
    return certificate.fingerprint(SHA256()).hex(":").upper()
