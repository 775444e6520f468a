"""Which team a job belongs to, and who of its people is proposed: from data, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apm.core.i18n import choose
from apm.teams.model import Level, Team


def team_for(
    teams: Iterable[Team], *, category: str | None, department_id: int | None
) -> Team | None:
    """Return the team whose scope fits best, None when none fits.

    A team named for category and department goes before one for the category, that before one
    for the department, and that before one that serves everything.  Of equals the one that
    serves fewer is meant more; then the older one.
    """
    fitting = [team for team in teams if team.is_active and _fits(team, category, department_id)]
    return min(fitting, key=_rank, default=None)


def _fits(team: Team, category: str | None, department_id: int | None) -> bool:
    by_category = not team.categories or category in team.categories
    return by_category and (not team.department_ids or department_id in team.department_ids)


def _rank(team: Team) -> tuple[int, int, int]:
    closeness = 2 * bool(team.categories) + bool(team.department_ids)
    return -closeness, len(team.categories) + len(team.department_ids), team.id


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a job may go to, and what speaks for them."""

    user_id: int
    name: str
    name_zh: str | None
    category: str | None
    is_member: bool
    duty_until: datetime | None
    """None: not on duty."""
    next_duty: datetime | None
    level: Level | None
    """What they may do on this category today; None: nothing is recorded, or it has expired."""
    has_expired: bool
    open_orders: int

    @property
    def shown_name(self) -> str:
        """The name in the language spoken."""
        return choose(self.name, self.name_zh)

    @property
    def works_alone(self) -> bool:
        """Whether they have shown that they can do this without help."""
        return self.level is Level.ALONE

    @property
    def rank(self) -> tuple[Any, ...]:
        """The best first: competent, of the team, on duty, little to do."""
        comes = self.next_duty.timestamp() if self.next_duty else float("inf")
        return (
            {Level.ALONE: 0, Level.SUPERVISED: 1, None: 2}[self.level],
            not self.is_member,
            0.0 if self.duty_until else comes,
            self.open_orders,
            self.user_id,
        )

    def as_record(self) -> dict[str, Any]:
        """Return what is kept with an order: why it went to this person, as plain JSON."""
        return {
            "on_duty": self.duty_until is not None,
            "level": self.level.value if self.level else None,
            "expired": self.has_expired,
            "category": self.category,
            "open": self.open_orders,
        }


def proposed(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates, the best first."""
    return sorted(candidates, key=lambda candidate: candidate.rank)
