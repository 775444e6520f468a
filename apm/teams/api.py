"""Teams as JSON."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import departments
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.teams import queries
from apm.teams.schema import TeamList

api = Blueprint("teams_api", __name__, url_prefix="/api/v1")


@api.get("/teams")
@api.response(200, TeamList)
@requires(Permission.WORK_READ)
def list_teams() -> dict[str, Any]:
    """Teams, what they serve, and who is on duty now."""
    ctx = context()
    staff = queries.staff_of(ctx)
    places = {d.id: d.name for d in departments(ctx)}
    items = []
    for team in queries.teams(ctx):
        people = [staff.candidate(user, None, team.id) for user in staff.people]
        items.append(
            {
                "id": team.id,
                "name": team.name,
                "name_zh": team.name_zh,
                "lead": team.lead_id,
                "departments": [places[i] for i in team.department_ids if i in places],
                "categories": team.categories,
                "is_active": team.is_active,
                "gives_work_out": team.gives_work_out,
                "members": [
                    {
                        "id": one.user_id,
                        "name": one.name,
                        "on_duty": one.duty_until is not None,
                    }
                    for one in people
                    if one.is_member
                ],
            }
        )
    return {"items": items, "next": None}
