"""The counts beside the register: how many assets each choice of a filter would show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from apm.assets.categories import all_categories
from apm.assets.model import Asset, AssetState, Availability
from apm.assets.queries import RegisterFilter, departments, narrowed
from apm.assets.search import search_for
from apm.core.command import Context
from apm.core.i18n import choose

Option = tuple[str, str, int | None]
"""A value, the name of a thing that has one (else empty), and how many; None: not counted."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Choices by filter, and how many assets the list has; None where counting costs too much."""

    total: int | None
    department: list[Option]
    category: list[Option]
    lifecycle: list[Option]
    availability: list[Option]


@dataclass(frozen=True, slots=True)
class _Cell:
    """How many assets share these four properties."""

    department: str
    category: str
    lifecycle: str
    availability: str
    n: int


KINDS = ("department", "category", "lifecycle", "availability")


def facets_of(ctx: Context, wanted: RegisterFilter) -> Facets:
    """Return the choices for a filtered register.

    One statement counts all combinations of the four properties; each filter's counts then leave
    its own choice out, so that one sees what another choice would bring.
    """
    places = {d.id: d for d in departments(ctx)}
    cells = _cells(ctx, wanted, {d.id: d.name for d in places.values()})
    chosen = {kind: {str(v) for v in getattr(wanted, kind)} for kind in KINDS}

    def counts(kind: str) -> Counter[str] | None:
        if cells is None:
            return None
        others = [k for k in KINDS if k != kind and chosen[k]]
        found: Counter[str] = Counter()
        for cell in cells:
            if all(getattr(cell, k) in chosen[k] for k in others):
                found[getattr(cell, kind)] += cell.n
        return found

    def options(kind: str, choices: Iterable[tuple[str, str]]) -> list[Option]:
        counted = counts(kind)
        if counted is None:
            return [(value, name, None) for value, name in choices]
        return [
            (value, name, counted[value])
            for value, name in choices
            if counted[value] or value in chosen[kind]
        ]

    return Facets(
        total=_total(cells, chosen),
        department=options(
            "department", [(d.name, choose(d.name, d.name_zh)) for d in places.values()]
        ),
        category=options("category", [(c.code, c.name) for c in all_categories()]),
        lifecycle=options("lifecycle", [(s.value, "") for s in AssetState]),
        availability=options("availability", [(a.value, "") for a in Availability]),
    )


def _cells(ctx: Context, wanted: RegisterFilter, names: dict[int, str]) -> list[_Cell] | None:
    search = search_for(ctx, wanted.q)
    if not search.is_countable:
        return None
    keys = (Asset.department_id, Asset.category, Asset.lifecycle, Asset.availability)
    unfiltered = RegisterFilter(location=wanted.location)
    query = narrowed(select(*keys, func.count()), unfiltered, search).group_by(*keys)
    return [
        _Cell(names.get(place, ""), kind, state.value, use.value, n)
        for place, kind, state, use, n in ctx.session.execute(query)
    ]


def _total(cells: list[_Cell] | None, chosen: dict[str, set[str]]) -> int | None:
    if cells is None:
        return None
    return sum(
        cell.n
        for cell in cells
        if all(getattr(cell, kind) in values for kind, values in chosen.items() if values)
    )
