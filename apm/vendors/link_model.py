"""What a company outside does on a work order: by which link, on which visits, with what words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.work.model import WorkOrder


class VendorLink(Audited, HospitalScoped, Row):
    """A way to one work order for one company, for some days.  The token itself is not kept."""

    __tablename__ = "vendor_link"
    __table_args__ = (UniqueConstraint("hospital_id", "client_key"),)
    not_in_trail = frozenset({"client_key"})

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    company: Mapped[str]
    """As it was called when the link was made."""
    phone: Mapped[str | None]
    client_key: Mapped[str]
    """The form's own random key: sent twice, it is one link."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    work_order: Mapped[WorkOrder] = relationship(lazy="raise")


class VendorVisit(Audited, HospitalScoped, Row):
    """Somebody of another company was here and worked (Order 18, Art. 17: a record every time)."""

    __tablename__ = "vendor_visit"
    __table_args__ = (UniqueConstraint("hospital_id", "client_key"),)
    not_in_trail = frozenset({"client_key"})

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    link_id: Mapped[int | None] = mapped_column(ForeignKey("vendor_link.id"), index=True)
    """By which link it was announced; None: written down by the hospital."""
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    company: Mapped[str]
    person: Mapped[str]
    arrived_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    done: Mapped[str | None]
    """What was done."""
    recorded_by: Mapped[str]
    client_key: Mapped[str]


class FileKind(StrEnum):
    """What a vendor's file is."""

    REPORT = "report"
    PHOTO = "photo"


class VendorNote(Audited, HospitalScoped, Row):
    """What a vendor wrote or handed in at one time."""

    __tablename__ = "vendor_note"
    __table_args__ = (UniqueConstraint("hospital_id", "client_key"),)
    not_in_trail = frozenset({"client_key"})

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("vendor_link.id"), index=True)
    author: Mapped[str]
    text: Mapped[str | None]
    at: Mapped[datetime]
    client_key: Mapped[str]

    files: Mapped[list[VendorFile]] = relationship(lazy="raise", order_by="VendorFile.id")


class VendorFile(Audited, HospitalScoped, Row):
    """A service report or a photo, checked by what is in it; never shown as a page of ours."""

    __tablename__ = "vendor_file"
    not_in_trail = frozenset({"content"})

    note_id: Mapped[int] = mapped_column(ForeignKey("vendor_note.id"), index=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    kind: Mapped[FileKind] = mapped_column(text_enum(FileKind))
    media_type: Mapped[str]
    """`application/pdf` or `image/jpeg`."""
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
