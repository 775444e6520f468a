"""From what was typed, in a form or as JSON, to what the commands take."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from apm.collecting.certificates import new_identity
from apm.collecting.commands import Details, PointDetails
from apm.collecting.entries import CONNECTION, ENCRYPTED, Filled, read, read_point
from apm.collecting.model import Connection, Protocol
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.sealing import Unreadable, seal, unseal


def connection_filled(
    protocol: Protocol, typed: Mapping[str, Any], found: Connection | None
) -> Filled:
    """Read a connection's own fields; secrets left empty are kept."""
    return read(CONNECTION[protocol], typed, keeps_secret=found is not None)


def details_of(
    key: str, general: Mapping[str, Any], filled: Filled, found: Connection | None
) -> Details:
    """Return what the commands take; of two secrets one may be entered anew."""
    kept: dict[str, str] = {}
    if found is not None and found.secret:
        with suppress(Unreadable):
            kept = unseal(key, found.secret)
    secret, config = {**kept, **filled.secret}, dict(filled.config)
    if config.get("security") == ENCRYPTED:
        certificate = found.config.get("certificate") if found else None
        if certificate is None or "identity" not in kept:
            certificate, secret["identity"] = new_identity()
        config["certificate"] = certificate
    return Details(
        general["name"],
        config,
        general["period_s"],
        general["max_skew_s"],
        seal(key, secret) if secret != kept else None,
        is_secret_typed=bool(filled.secret),
    )


def checked(filled: Filled, place: str) -> Filled:
    """Return what was read of JSON, or refuse it by the names of the API."""
    if filled.errors:
        fields = {f"{place}.{name}": texts for name, texts in filled.errors.items()}
        raise Invalid(_l("Some values do not fit. Correct the fields named."), fields=fields)
    return filled


def point_filled(protocol: Protocol, typed: Mapping[str, Any]) -> Filled:
    """Read a point's own fields."""
    return read_point(protocol, typed)


def point_details(general: Mapping[str, Any], filled: Filled) -> PointDetails:
    """Return what the commands take."""
    return PointDetails(
        general["sensor"], filled.config, general["scale"], general["offset"], general["unit"]
    )
