"""Sections of a page that features above its own contribute.

A page's feature owns one `Panels`; others register functions with it.  The page calls them and
includes each panel's template, with the panel's data as `panel.data`, inside a card it draws:

    @panel(order=20, permission=Permission.WORK_READ)
    def open_work(ctx: Context, asset: Asset) -> Panel | None:
        return Panel(_l("Open work"), "tool", "work/_asset_work.html", {"orders": ...})

The module that registers must be imported by its feature's `web.py`.  Query for one thing with a
fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from apm.core.command import Context
from apm.core.permissions import Permission
from apm.core.registry import Hooks, Stage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Panel:
    """One section: a title, an icon of the icon set, a template and what the template reads."""

    title: object
    icon: str
    template: str
    data: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    more: object = ""
    tone: str = ""
    anchor: str = ""


class Panels(Generic[T]):
    """The sections of the page of one kind of thing."""

    def __init__(self) -> None:
        self.entries: Hooks[tuple[int, Permission, Callable[[Context, T], Panel | None]]] = Hooks(
            "sections of a page", Stage.PAGES
        )

    def register(
        self, *, order: int, permission: Permission
    ) -> Callable[[Callable[[Context, T], Panel | None]], Callable[[Context, T], Panel | None]]:
        """Register a section; lower ones stand higher."""

        def add(
            render: Callable[[Context, T], Panel | None],
        ) -> Callable[[Context, T], Panel | None]:
            self.entries.add((order, permission, render))
            return render

        return add

    def of(self, ctx: Context, thing: T) -> list[Panel]:
        """Return the sections this actor may see, in order; None means nothing to say."""
        found = [
            render(ctx, thing)
            for _, permission, render in sorted(self.entries, key=lambda entry: entry[0])
            if ctx.actor.can(permission)
        ]
        return [panel for panel in found if panel is not None]
