"""How each figure is counted, in words, with its source."""

from __future__ import annotations

from apm.core.i18n import _l

_FORMULAS: dict[str, object] = {
    "repair_cost": _l(
        "Sum of parts, labour and vendor costs of the repair orders closed in the period."
        " n: these orders. Equipment counts where it stands today."
    ),
    "downtime": _l(
        "Hours from the start to the end of each downtime, within the period."
        " Overlapping downtimes of one asset count once. n: orders with downtime."
    ),
    "failures": _l(
        "Repair orders whose fault began in the period. Cancelled ones and those with no fault"
        " found are left out."
    ),
    "mtbf": _l(
        "Hours in service divided by failures. Hours are calendar hours of the equipment in"
        " operation today, less its downtime, not the hours of actual use. Retired"
        " equipment is left out, hours and failures both. No value below three failures. 90 %"
        " interval from the chi-squared distribution (Epstein and Sobel 1953)."
    ),
    "mtbf_use": _l(
        "Hours of actual use divided by failures, of the devices whose sensors tell their use, on"
        " the days they told it. No value below three failures. 90 % interval from the"
        " chi-squared distribution (Epstein and Sobel 1953)."
    ),
    "pm_completion": _l(
        "Maintenance done by its last day divided by maintenance due in the period. Due dates are"
        " frozen when the work order is made. Excused ones are left out, and so are those whose"
        " last day is still to come. 90 % interval after Wilson (1927)."
    ),
}


def of(name: str) -> str:
    """Return how the figure called `name` is counted, in the language spoken."""
    return str(_FORMULAS[name])
