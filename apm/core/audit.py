"""The audit trail: who changed what, by which command, from which value to which.

Each hospital has one chain.  An entry carries the SHA-256 of its own content and of the entry
before it, and `AuditHead` remembers the last one, so that an edited, removed or inserted entry
is found by recomputing (`apm audit verify`).  Someone who can rewrite the whole table could
also rewrite the chain: note the head that `verify` prints somewhere else to guard against that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, Index, UniqueConstraint, event, insert, inspect, select, update
from sqlalchemy.orm import Mapped, ORMExecuteState, SessionTransaction, mapped_column
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

from apm.core.db import ApmSession, Row

GENESIS = "0" * 64
CHUNK = 1000
NO_HOSPITAL = 0
"""The chain of what belongs to no hospital: people, the hospitals themselves."""
_Pending = tuple[int, dict[str, Any]]
"""A chain, and an entry that will be its next."""


_BEGAN: WeakKeyDictionary[SessionTransaction, int] = WeakKeyDictionary()
"""How much a trail held when a savepoint was set."""


class WriteOutsideCommand(Exception):
    """Code tried to write without a command: a bug."""


class Audited:
    """Mixin: every change to the row leaves an `AuditEntry`."""

    not_in_trail: frozenset[str] = frozenset()
    """Columns whose values must not be kept (secrets): the trail says only that they changed."""
    untracked: frozenset[str] = frozenset()
    """Columns that move by themselves (when last seen): no change of theirs is news."""


class AuditEntry(Row):
    """One changed row.  Append-only: no code updates or deletes these."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        UniqueConstraint("chain", "seq"),
        Index("ix_audit_entry_entity", "entity", "entity_id"),  # what happened to one thing
    )

    chain: Mapped[int]
    """The hospital's id, or `NO_HOSPITAL`."""
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    user_id: Mapped[int | None]
    command: Mapped[str]
    request_id: Mapped[str | None]
    entity: Mapped[str]
    entity_id: Mapped[int]
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    prev_hash: Mapped[str]
    hash: Mapped[str]


class AuditHead(Row):
    """The end of one chain; locked while entries are added, so that two writers cannot fork it."""

    __tablename__ = "audit_head"

    chain: Mapped[int] = mapped_column(unique=True)
    seq: Mapped[int]
    hash: Mapped[str]


@event.listens_for(ApmSession, "do_orm_execute")
def _no_silent_bulk_write(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        mapper = state.bind_mapper
        kept = mapper is not None and issubclass(mapper.class_, (Audited, AuditEntry, AuditHead))
        if "command" not in state.session.info or kept:
            raise WriteOutsideCommand("bulk write would escape the audit trail")


@event.listens_for(ApmSession, "before_flush")
def _no_write_outside_a_command(session: ApmSession, *_: Any) -> None:
    if (session.new or session.dirty or session.deleted) and "command" not in session.info:
        raise WriteOutsideCommand("change data in an @command")
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, (AuditEntry, AuditHead)):
            raise WriteOutsideCommand("only core.audit writes the trail")


@event.listens_for(ApmSession, "after_flush")
def _record(session: ApmSession, _: Any) -> None:
    # Ids exist by now, while the history of each attribute still shows what changed.
    pending: list[_Pending] = session.info.setdefault("trail", [])
    pending.extend(
        (_chain_of(session, row), entry)
        for row in (*session.new, *session.dirty, *session.deleted)
        if isinstance(row, Audited) and (entry := _entry(session, row))
    )


@event.listens_for(ApmSession, "before_commit")
def _write(session: ApmSession) -> None:
    # Once for a command, as its last deed: until then nobody waits for the end of the chain.
    if session.in_nested_transaction():
        return
    session.flush()
    pending: list[_Pending] = session.info.pop("trail", [])
    chains: dict[int, list[dict[str, Any]]] = {}
    for chain, entry in pending:
        chains.setdefault(chain, []).append(entry)
    for chain in sorted(chains):  # always in one order: two writers never wait for each other
        _append(session, chain, chains[chain])


@event.listens_for(ApmSession, "after_transaction_create")
def _remember_where_it_began(session: ApmSession, transaction: SessionTransaction) -> None:
    if transaction.nested:
        _BEGAN[transaction] = len(session.info.get("trail", ()))


@event.listens_for(ApmSession, "after_soft_rollback")
def _forget_what_was_undone(session: ApmSession, transaction: SessionTransaction) -> None:
    # Of a savepoint that was rolled back nothing happened; what came before it stays.
    if transaction.nested:
        del session.info.get("trail", [])[_BEGAN.get(transaction, 0) :]


@event.listens_for(ApmSession, "after_transaction_end")
def _forget_what_was_not_committed(session: ApmSession, transaction: SessionTransaction) -> None:
    # Rolled back, or just closed: nothing of it may stand in the trail of what comes next.
    if transaction.parent is None:
        session.info.pop("trail", None)


def _chain_of(session: ApmSession, row: Any) -> int:
    owner = getattr(row, "hospital_id", None) or session.info["actor"].hospital_id
    return owner or NO_HOSPITAL


def _append(session: ApmSession, chain: int, entries: list[dict[str, Any]]) -> None:
    connection = session.connection()
    here = select(AuditHead.seq, AuditHead.hash).where(AuditHead.chain == chain)
    head = connection.execute(here.with_for_update()).first()
    if head is None:
        connection.execute(insert(AuditHead).values(chain=chain, seq=0, hash=GENESIS))
        seq, last = 0, GENESIS
    else:
        seq, last = head
    for entry in entries:
        seq += 1
        entry.update(chain=chain, seq=seq, prev_hash=last)
        last = entry["hash"] = digest(entry)
    connection.execute(insert(AuditEntry), entries)
    connection.execute(
        update(AuditHead).where(AuditHead.chain == chain).values(seq=seq, hash=last)
    )


def _entry(session: ApmSession, row: Any) -> dict[str, Any] | None:
    changes = _changes(row)
    if not changes:
        return None
    info = session.info
    return {
        "at": info["now"]().astimezone(UTC),  # as it is read back
        "actor": info["actor"].name,
        "user_id": info["actor"].user_id,
        "command": info["command"],
        "request_id": info["request_id"],
        "entity": type(row).__name__,
        "entity_id": row.id,
        "changes": changes,
    }


def _changes(row: Any) -> dict[str, list[str | None]]:
    state = inspect(row)
    gone = state.deleted or state.was_deleted
    is_new = state.key is None
    changed: dict[str, list[str | None]] = {}
    for column in state.mapper.column_attrs:
        # What nobody set has no history: a checklist has dozens of rows with dozens of columns.
        if column.key in row.untracked or not (gone or column.key in state.committed_state):
            continue
        if gone:
            old, new = _text(getattr(row, column.key)), None
        elif is_new:  # it has no history to ask for, which takes longer
            old, new = None, _text(state.dict.get(column.key))
        else:
            history = get_history(row, column.key, PASSIVE_NO_INITIALIZE)
            old, new = _text(_first(history.deleted)), _text(_first(history.added))
        if old != new:
            secret = column.key in row.not_in_trail
            changed[column.key] = ["***", "***"] if secret else [old, new]
    return changed


def _first(values: Any) -> Any:
    return values[0] if values else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


HASHED = (
    "chain", "seq", "at", "actor", "user_id", "command", "request_id",
    "entity", "entity_id", "changes", "prev_hash",
)  # fmt: skip


def digest(entry: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) of an entry's content, the hash of the entry before included."""
    content = {**{key: entry[key] for key in HASHED}, "at": entry["at"].isoformat()}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What recomputing one chain found; `broken_at` is the first bad entry's number."""

    chain: int
    entries: int
    head: str
    broken_at: int | None
    reason: str | None


def verify_chain(session: ApmSession, chain: int) -> ChainReport:
    """Recompute one hospital's chain from its first entry to its head."""
    last, seq = GENESIS, 0
    for row in _entries(session, chain):
        seq += 1
        if row.seq != seq:
            return ChainReport(chain, seq, last, seq, "an entry is missing")
        if row.prev_hash != last:
            return ChainReport(chain, seq, last, seq, "it does not follow the entry before it")
        if digest({key: getattr(row, key) for key in HASHED}) != row.hash:
            return ChainReport(chain, seq, last, seq, "its content was changed")
        last = row.hash
    head = session.scalar(select(AuditHead).where(AuditHead.chain == chain))
    if head is None or (head.seq, head.hash) != (seq, last):
        return ChainReport(chain, seq, last, seq + 1, "entries are missing at the end")
    return ChainReport(chain, seq, last, None, None)


def _entries(session: ApmSession, chain: int) -> Iterator[AuditEntry]:
    done = 0
    while True:
        query = select(AuditEntry).where(AuditEntry.chain == chain, AuditEntry.seq > done)
        rows = list(session.scalars(query.order_by(AuditEntry.seq).limit(CHUNK)))
        if not rows:
            return
        yield from rows
        done = rows[-1].seq
        session.expunge_all()  # a long trail must not fill the memory
