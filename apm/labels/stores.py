"""Spare parts."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "unit": {
        "piece": _l("pcs"),
        "box": _l("boxes"),
        "pair": _l("pairs"),
        "set": _l("sets"),
        "metre": _l("m"),
        "litre": _l("L"),
        "kilogram": _l("kg"),
    },
    "stock_move": {
        "receive": _l("Taken in"),
        "issue": _l("Issued"),
        "return": _l("Brought back"),
        "adjust": _l("Corrected"),
        "scrap": _l("Thrown away"),
        "transfer": _l("Carried elsewhere"),
    },
    "demand": {
        "smooth": _l("Steady use"),
        "erratic": _l("Steady, uneven amounts"),
        "intermittent": _l("Now and then"),
        "lumpy": _l("Now and then, uneven amounts"),
    },
    "reorder": {
        "demand": _l("Below the reorder point"),
        "minimum": _l("Below the minimum"),
    },
    "demand_method": {
        "smoothing": _l("Exponential smoothing"),
        "trend": _l("Linear trend (Holt)"),
        "sba": _l("Croston, corrected (SBA)"),
    },
}
