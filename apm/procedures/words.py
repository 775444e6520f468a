"""The words for what templates are made of, for pages, spreadsheets and programs' messages."""

from __future__ import annotations

from functools import cache

from apm.core.i18n import LANGUAGES, _l, choose, speaking
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.labels import LABELS

TOOLS = ROOT / "seed" / "tools.yaml"
WORDS: dict[str, dict[str, object]] = {
    "section": LABELS["section"],
    "step_kind": {"check": _l("Check"), "measure": _l("Measurement")},
    "on_fail": {
        "note": _l("Put it on record only"),
        "repair": _l("Open a repair"),
        "stop": _l("Open a repair and stop its use"),
    },
    "trust": {
        "seen": _l("Read in the source"),
        "recalled": _l("From memory, to be verified"),
        "policy": _l("The manufacturer governs"),
        "confirmed": _l("Confirmed at this hospital"),
    },
    "tolerance": {
        "le": _l("At most a limit"),
        "ge": _l("At least a limit"),
        "between": _l("Between two limits"),
        "abs": _l("Set value ± amount"),
        "rel": _l("Set value ± percentage"),
        "sum_of": _l("Set value ± (amount + percentage)"),
        "max_of": _l("Set value ± amount or percentage, whichever is larger"),
        "asym_rel": _l("Set value, with one percentage below and another above"),
        "by_range": _l("Set value ± percentage that depends on its range"),
        "baseline_drift": _l("First value measured ± amount"),
        "manufacturer": _l("As the manufacturer states, entered at work"),
    },
    "template_field": {
        "code": _l("Code"),
        "en": _l("English"),
        "zh": _l("Chinese"),
        "interval_months": _l("Interval in months"),
        "interval_source": _l("Source of the interval"),
        "minutes": _l("Expected minutes"),
        "tools": _l("Test equipment"),
        "spares": _l("Parts to take along"),
        "metrology": _l("Metrology documents"),
        "absorbs": _l("Includes templates"),
        "parts": _l("Replaced or serviced"),
        "template": _l("Template"),
        "id": _l("Step ID"),
        "section": _l("Section"),
        "kind": _l("Kind"),
        "unit": _l("Unit"),
        "at": _l("Set points"),
        "at_unit": _l("Unit of the set points"),
        "tolerance": _l("Limit"),
        "rule": _l("Rule"),
        "limit": _l("Limit value"),
        "low": _l("Lower limit"),
        "high": _l("Upper limit"),
        "abs": _l("Permitted amount"),
        "rel": _l("Percentage"),
        "ranges": _l("Ranges"),
        "source": _l("Source"),
        "trust": _l("How far to trust it"),
        "mandatory": _l("Mandatory"),
        "photo": _l("Photo needed"),
        "on_fail": _l("If it fails"),
        "note": _l("Note"),
        "every": _l("Every"),
    },
    "step_change": {
        "added": _l("Added"),
        "removed": _l("Removed"),
        "changed": _l("Changed"),
        "moved": _l("In another place"),
    },
    "time_of_part": {"months": _l("months"), "hours": _l("hours")},
    "version_name": {"draft": _l("Draft"), "shipped": _l("As shipped")},
    "yes_no": {"true": _l("Yes"), "false": _l("No")},
}


def word(kind: str, value: object) -> str:
    """Return the word for a value in the language spoken; an unknown one is a bug, and raises."""
    return str(WORDS[kind][str(value)])


@cache
def values_of(kind: str, only: tuple[str, ...] | None = None) -> dict[str, str]:
    """Return the value for each word that people may write, in either language, case-folded.

    Two values may be called alike; `only` names those that are in question.
    """
    values = [value for value in WORDS[kind] if only is None or value in only]
    found = {value.casefold(): value for value in values}
    for language in LANGUAGES:
        with speaking(language):
            for value in values:
                found.setdefault(word(kind, value).casefold(), value)
    return found


def tool_name(english: str) -> str:
    """Return what test equipment of a template is called in the language spoken, if it is known.

    >>> with speaking("zh"):
    ...     print(tool_name("balance"), tool_name("our own jig"))
    天平 our own jig
    """
    return choose(english, _tools().get(english))


@cache
def _tools() -> dict[str, str]:
    names: dict[str, str] = read_yaml(TOOLS)
    return names
