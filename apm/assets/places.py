"""Departments and locations by the name somebody typed: found, or made on first use."""

from __future__ import annotations

from sqlalchemy import or_, select

from apm.assets.model import Department, Location
from apm.core.codes import PublicCode, new_code
from apm.core.command import Context
from apm.core.errors import Conflict
from apm.core.i18n import _l


class Places:
    """The places met in one command, so that an import asks for each name once."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._departments: dict[str, Department] = {}
        self._locations: dict[str, Location] = {}

    def department(self, name: str | None) -> Department | None:
        """Return the department of this name, in either language; a new one if there is none."""
        if not name:
            return None
        if name not in self._departments:
            self._departments[name] = self._found_department(name) or self._new_department(name)
        return self._departments[name]

    def location(self, name: str | None, department: Department | None) -> Location | None:
        """Return the location of this name; a new one belongs to `department`."""
        if not name:
            return None
        if name not in self._locations:
            found = self._found_location(name)
            self._locations[name] = found or self._new_location(name, department)
        return self._locations[name]

    def _found_department(self, name: str) -> Department | None:
        named = or_(Department.name == name, Department.name_zh == name)
        # The name proper wins over another department's Chinese name.
        rows = list(self.ctx.session.scalars(select(Department).where(named)))
        return next((d for d in rows if d.name == name), rows[0] if rows else None)

    def _new_department(self, name: str) -> Department:
        made = Department(name=name)
        self.ctx.session.add(made)
        self.ctx.session.flush()  # the asset needs its id
        return made

    def _found_location(self, name: str) -> Location | None:
        named = or_(Location.name == name, Location.name_zh == name)
        rows = list(self.ctx.session.scalars(select(Location).where(named)))
        return next((p for p in rows if p.name == name), rows[0] if rows else None)

    def _new_location(self, name: str, department: Department | None) -> Location:
        made = Location(code=new_code(), name=name)
        made.department_id = department.id if department else None
        self.ctx.session.add(made)
        self.ctx.session.add(code_row(self.ctx, kind="location", code=made.code))
        self.ctx.session.flush()  # the asset needs its id
        return made


def code_row(ctx: Context, *, kind: str, code: str) -> PublicCode:
    """Return the row that lets a scan of `code` find its way to this hospital."""
    if ctx.actor.hospital_id is None:
        raise Conflict(_l("Choose a hospital first."))
    return PublicCode(code=code, kind=kind, hospital_id=ctx.actor.hospital_id, target=code)
