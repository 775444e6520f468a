"""What became of the past situations most like one now, beside how usual that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from predict.proportion import wilson


class Past(Protocol):
    """A past situation."""

    @property
    def has_come(self) -> bool:
        """Whether what is foretold came within the horizon."""


S = TypeVar("S")
C = TypeVar("C", bound=Past)


@dataclass(frozen=True, slots=True)
class Compared(Generic[S, C]):
    """The nearest past situations.

    days: the horizon.  failed, of: of how many of all situations looked through it came, and how
    many those were, of so many units.
    """

    days: int
    now: S
    nearest: list[C]
    failed: int
    of: int
    units: int

    @property
    def failed_nearest(self) -> int:
        """Of how many of the nearest it came within the horizon."""
        return sum(case.has_come for case in self.nearest)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share of the nearest of which it came."""
        return wilson(self.failed_nearest, len(self.nearest))
