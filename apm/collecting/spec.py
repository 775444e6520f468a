"""What a collector needs to know of a connection: plain values that outlive their session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from apm.collecting.failures import LineFailed, Reason
from apm.collecting.model import Connection, Protocol
from apm.core.sealing import Unreadable, unseal


@dataclass(frozen=True, slots=True)
class PointSpec:
    """One sensor, and where its value stands."""

    sensor: str
    config: Mapping[str, Any]
    scale: float = 1.0
    offset: float = 0.0

    def convert(self, raw: float) -> float:
        """Return what is stored for a value of the device.

        >>> PointSpec("T-1", {}, scale=0.1, offset=-40).convert(615)
        21.5
        """
        if self.scale == 1 and self.offset == 0:
            return raw
        # 14 digits: 615 * 0.1 is 61.500000000000007, and no device measures that.
        return float(f"{raw * self.scale + self.offset:.14g}")


@dataclass(frozen=True, slots=True)
class Spec:
    """One connection with its points; two that are equal need no restart."""

    id: int
    hospital_id: int
    hospital: str
    """The hospital's code."""
    name: str
    protocol: Protocol
    config: Mapping[str, Any]
    secret: str
    """Sealed."""
    period_s: float
    points: tuple[PointSpec, ...]

    def opened(self, key: str) -> dict[str, str]:
        """Return the secret entries; raise `LineFailed` if they cannot be read."""
        if not self.secret:
            return {}
        try:
            return unseal(key, self.secret)
        except Unreadable:
            raise LineFailed(Reason.SEALED) from None


def spec_of(connection: Connection, hospital: str) -> Spec:
    """Return the plain values of a connection whose points and their sensors are loaded."""
    points = sorted(connection.points, key=lambda point: point.id)
    return Spec(
        connection.id,
        connection.hospital_id,
        hospital,
        connection.name,
        connection.protocol,
        dict(connection.config),
        connection.secret,
        connection.period_s,
        tuple(PointSpec(p.sensor.code, dict(p.config), p.scale, p.offset) for p in points),
    )


def as_plain(spec: Spec) -> dict[str, Any]:
    """Return a spec as JSON values."""
    return asdict(spec)


def from_plain(plain: dict[str, Any]) -> Spec:
    """Return the spec that `as_plain` made plain."""
    points = tuple(PointSpec(**point) for point in plain["points"])
    return Spec(**{**plain, "protocol": Protocol(plain["protocol"]), "points": points})
