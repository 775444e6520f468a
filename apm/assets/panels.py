"""Sections of the asset page that features above this one contribute; see `core.panels`.

Taken: work 10, requests 20, sensors 30, plans 40, history of work 60.
"""

from __future__ import annotations

from apm.assets.model import Asset
from apm.core.panels import Panel, Panels

__all__ = ["Panel", "panel", "panels_of"]

_PANELS: Panels[Asset] = Panels()
panel = _PANELS.register
panels_of = _PANELS.of
