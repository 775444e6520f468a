"""Trying a connection from its page: no transaction is open while a device is waited for."""

from __future__ import annotations

from apm.accounts.queries import own_hospital
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import Sample, probe
from apm.collecting.model import Protocol
from apm.collecting.queries import connection_by_id
from apm.collecting.spec import spec_of
from apm.core.command import Context


def tried(ctx: Context, *, connection_id: int, key: str) -> list[Sample]:
    """Return what a device says now.

    Raises:
        NotFound: no such connection.
        LineFailed: it does not work; says why.
    """
    hospital = own_hospital(ctx)
    spec = spec_of(connection_by_id(ctx, connection_id), hospital.code if hospital else "")
    secret = spec.opened(key)
    ctx.session.rollback()
    if not spec.points and spec.protocol is not Protocol.MQTT:
        raise LineFailed(Reason.NO_POINTS)
    return probe(spec, secret)
