"""Sections of the work-order page that features above this one contribute; see `core.panels`.

What the job is about stands at the top.  What goes with it (who has it, parts, instruments) makes
room for the checklist while somebody works on the order.

Taken: what was reported 10, why now 15.  Beside: team 5, vendor and parts 40, metrology 70,
print 80.
"""

from __future__ import annotations

from apm.core.panels import Panel, Panels
from apm.work.model import WorkOrder

__all__ = ["Panel", "beside", "beside_of", "section", "sections_of"]

_SECTIONS: Panels[WorkOrder] = Panels()
section = _SECTIONS.register
sections_of = _SECTIONS.of

_BESIDE: Panels[WorkOrder] = Panels()
beside = _BESIDE.register
beside_of = _BESIDE.of
