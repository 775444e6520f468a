"""Reading the trail of one's own hospital."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from apm.core.audit import NO_HOSPITAL, AuditEntry
from apm.core.command import Context
from apm.core.paging import Page, page_of
from apm.core.typed import whole_number


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show; None for all."""

    entity: str | None = None
    entity_id: int | None = None
    actor: str | None = None
    command: str | None = None

    @classmethod
    def of(cls, args: Mapping[str, str]) -> AuditFilter:
        """Read the filter from an address."""
        return cls(
            args.get("entity") or None,
            whole_number(args.get("entity_id")),
            args.get("actor") or None,
            args.get("command") or None,
        )


def audit_page(
    ctx: Context, wanted: AuditFilter, *, after: str | None = None, limit: int = 50
) -> Page[AuditEntry]:
    """Return the newest entries of the actor's hospital."""
    # Not hospital-scoped (the chain also holds what belongs to none), so the chain is named here.
    query = select(AuditEntry).where(AuditEntry.chain == (ctx.actor.hospital_id or NO_HOSPITAL))
    for name in ("entity", "entity_id", "actor", "command"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(AuditEntry, name) == value)
    return page_of(
        ctx.session, query, by=[AuditEntry.seq], after=after, limit=limit, descending=True
    )
