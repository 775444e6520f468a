"""Sections of the work-order page that features above this one contribute; see `core.panels`.

Taken: what was reported 10.
"""

from __future__ import annotations

from apm.core.panels import Panel, Panels
from apm.work.model import WorkOrder

__all__ = ["Panel", "section", "sections_of"]

_SECTIONS: Panels[WorkOrder] = Panels()
section = _SECTIONS.register
sections_of = _SECTIONS.of
