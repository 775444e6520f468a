"""What a message is about, and whom it concerns: equipment, team, duty."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import colleagues
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.permissions import ROLES, Permission, Role
from apm.teams.queries import staff_of


def about(ctx: Context, no: str, asset_id: int | None) -> dict[str, Any]:
    """Return the number, and the names of the equipment and its department in both languages."""
    found = asset_of(ctx, asset_id)
    if found is None:
        return {"no": no}
    place = found.department
    return {
        "no": no,
        "asset": found.name,
        "asset_zh": found.name_zh,
        "place": place.name if place else None,
        "place_zh": place.name_zh if place else None,
    }


def asset_of(ctx: Context, asset_id: int | None) -> Asset | None:
    """Return an asset with its department, None for none."""
    query = select(Asset).where(Asset.id == asset_id).options(joinedload(Asset.department))
    return ctx.session.scalar(query) if asset_id is not None else None


def people_who_may(ctx: Context, permission: Permission, *but: Role) -> list[int]:
    """Return who holds a permission, without these roles."""
    roles = frozenset(role for role, held in ROLES.items() if permission in held) - {*but}
    return [user.id for user in colleagues(ctx, roles)]


def of_the_team(ctx: Context, people: list[int], asset_id: int | None) -> list[int]:
    """Return those of these people whose team serves the asset, and those of no team at all.

    Everybody where no team serves it: nothing may fall between two teams.
    """
    found = asset_of(ctx, asset_id)
    staff = staff_of(ctx)
    team = staff.team_for(found.category, found.department_id) if found else None
    if team is None:
        return people
    inside = staff.members.get(team.id, set())
    elsewhere = {one for members in staff.members.values() for one in members} - inside
    chosen = [one for one in people if one not in elsewhere]
    return chosen if set(chosen) & inside else people


def members(ctx: Context, team_id: int | None) -> list[int]:
    """Return the people of a team, its lead first; nobody for none."""
    staff = staff_of(ctx)
    team = next((one for one in staff.teams if one.id == team_id), None)
    if team is None:
        return []
    lead = [team.lead_id] if team.lead_id is not None else []
    return list(dict.fromkeys([*lead, *sorted(staff.members.get(team.id, ()))]))


def on_duty(ctx: Context, asset_id: int | None) -> list[int]:
    """Return who of the asset's team works now; where nobody does, the team's lead."""
    found = asset_of(ctx, asset_id)
    staff = staff_of(ctx)
    team = staff.team_for(found.category, found.department_id) if found else None
    if team is None:
        return []
    there = [one.user_id for one in staff.on_duty(team.id)]
    lead = [team.lead_id] if team.lead_id is not None else []
    return there or lead
