"""Sections of the asset page that features above this one contribute.

A feature registers a function; the asset page calls it and includes the panel's template, with
the panel's data as `panel.data`, inside a card it draws itself:

    @panel(order=20, permission=Permission.WORK_READ)
    def open_work(ctx: Context, asset: Asset) -> Panel | None:
        return Panel(_l("Open work"), "tool", "tickets/_asset_work.html", {"orders": ...})

The module that registers must be imported by the feature's `web.py`.  Query for one asset with a
fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.permissions import Permission


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


Render = Callable[[Context, Asset], Panel | None]


@dataclass(frozen=True, slots=True)
class _Entry:
    order: int
    permission: Permission
    render: Render


_PANELS: list[_Entry] = []


def panel(*, order: int, permission: Permission) -> Callable[[Render], Render]:
    """Register a section; lower ones stand higher (work 10, requests 20, sensors 30, plans 40)."""

    def register(render: Render) -> Render:
        _PANELS.append(_Entry(order, permission, render))
        _PANELS.sort(key=lambda entry: entry.order)
        return render

    return register


def panels_of(ctx: Context, asset: Asset) -> list[Panel]:
    """Return the sections this actor may see, in order; None means nothing to say."""
    found = [e.render(ctx, asset) for e in _PANELS if ctx.actor.can(e.permission)]
    return [section for section in found if section is not None]
