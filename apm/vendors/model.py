"""Companies the hospital works with."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class Vendor(Audited, HospitalScoped, Row):
    """A company that delivers parts or repairs equipment."""

    __tablename__ = "vendor"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)

    name: Mapped[str]
    name_zh: Mapped[str | None]
    contact: Mapped[str | None]
    """Whom to ask for."""
    phone: Mapped[str | None]
    email: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
