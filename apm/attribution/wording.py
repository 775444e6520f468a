"""One sentence for each piece of evidence, with its numbers; and how much it says, in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from babel.dates import format_date

from apm.attribution.finding import Found
from apm.core.i18n import _, _l, choose, language
from apm.labels import label
from apm.requests.symptoms import SYMPTOMS
from predict.cause import Piece, Strength
from predict.cause_table import Cause

CLIMATE = {
    "none": _l("%(sensor)s stayed within %(low)s to %(high)s %(unit)s in the 72 hours before."),
    "brief": _l(
        "%(sensor)s was outside %(low)s to %(high)s %(unit)s for %(minutes)s minutes in the 72"
        " hours before; at worst %(worst)s."
    ),
}
SENTENCES: dict[str, dict[str, Any]] = {
    "room_temperature": {**CLIMATE, "long": CLIMATE["brief"]},
    "room_humidity": {**CLIMATE, "long": CLIMATE["brief"]},
    "power": {
        "none": _l("%(sensor)s: no dip and no outage of the mains in the 24 hours before."),
        "event": _l(
            "%(sensor)s: %(what)s in the 24 hours before, %(volts)s V where %(usual)s V is usual."
        ),
    },
    "room_alarm": {
        "none": _l("No alarm of the room's sensors in the 72 hours before."),
        "alarm": _l("%(sensor)s raised an alarm in the 72 hours before."),
    },
    "room_peers": {
        "usual": _l(
            "%(n)s other devices of the room failed in the 48 hours before; %(usual)s are usual."
        ),
        "together": _l(
            "%(n)s other devices of the room failed in the 48 hours before, where %(usual)s are"
            " usual (p = %(p)s)."
        ),
    },
    "symptom": dict.fromkeys(
        ("damage", "accessory", "power", "climate", "output", "alarm", "other"),
        _l("Reported as “%(symptom)s” (%(no)s)."),
    ),
    "device_log": {
        "none": _l("The device's log holds no code of the 24 hours before that the list knows."),
        "user": _l("The device's log names wrong use in the 24 hours before: %(codes)s."),
        "technical": _l(
            "The device's log names technical faults in the 24 hours before: %(codes)s."
        ),
        "power": _l("The device's log names the mains in the 24 hours before: %(codes)s."),
    },
    "no_fault_found": {
        "never": _l("No repair without a fault found in the %(days)s days before."),
        "before": _l("A repair in the %(days)s days before found no fault (%(no)s)."),
        "now": _l("This repair found no fault."),
    },
    "parts": {
        "replaced": _l("The repair took a part."),
        "none": _l("The repair took no part."),
    },
    "shift": {
        "spread": _l(
            "%(k)s of %(n)s reports on such equipment of this ward came between %(from)s and"
            " %(to)s o'clock; that is as usual (%(usual)s)."
        ),
        "one_shift": _l(
            "%(k)s of %(n)s reports on such equipment of this ward came between %(from)s and"
            " %(to)s o'clock, where %(usual)s is usual (p = %(p)s)."
        ),
    },
    "maintenance": {
        "in_time": _l("The last planned maintenance (%(template)s, due %(due)s) was not late."),
        "overdue": _l("Planned maintenance (%(template)s) was overdue since %(late_after)s."),
        "missed": _l("The planned maintenance of %(due)s (%(template)s) was missed."),
    },
    "last_result": {
        "well": _l("All %(n)s values measured last (%(no)s) were well within their limits."),
        "near": _l(
            "Measured last (%(no)s): %(step)s was close to its limit with %(value)s %(unit)s."
        ),
        "failed": _l("Measured last (%(no)s): %(step)s failed with %(value)s %(unit)s."),
    },
    "own_alarm": {
        "none": _l("No alarm of the device's own sensors in the 7 days before."),
        "alarm": _l("%(sensor)s, on the device, raised an alarm in the 7 days before."),
    },
    "age": {
        "young": _l("In use for %(years)s years; %(life)s are usual."),
        "middle": _l("In use for %(years)s years; %(life)s are usual."),
        "old": _l("In use for %(years)s years, longer than the usual %(life)s."),
    },
    "hazard": {
        "falling": _l(
            "%(of)s: failures become fewer with age (shape %(shape)s, %(low)s to %(high)s, n ="
            " %(n)s); at %(years)s years it is %(ratio)s times the mean."
        ),
        "flat": _l(
            "%(of)s: at this age failures are not clearly more or fewer (shape %(shape)s, %(low)s"
            " to %(high)s, n = %(n)s)."
        ),
        "rising": _l(
            "%(of)s: failures grow with age (shape %(shape)s, %(low)s to %(high)s, n = %(n)s); at"
            " %(years)s years it is %(ratio)s times the mean."
        ),
    },
    "commissioning": {
        "first_months": _l("In service for %(days)s days only."),
        "first_year": _l("In service for %(days)s days, less than a year."),
        "later": _l("In service for more than a year."),
    },
    "peers": {
        "alike": _l(
            "Others of this model (%(n1)s) do not fail more often than the category's other models"
            " (%(n2)s): %(k1)s against %(k2)s failures in a year, ratio %(ratio)s (%(low)s to"
            " %(high)s)."
        ),
        "more": _l(
            "Others of this model (%(n1)s) fail more often than the category's other models"
            " (%(n2)s): %(k1)s against %(k2)s failures in a year, ratio %(ratio)s (%(low)s to"
            " %(high)s)."
        ),
    },
    "lot": {
        "alone": _l("None of the %(n)s others of lot %(lot)s failed in the year before."),
        "others": _l("%(k)s of the %(n)s others of lot %(lot)s failed in the year before."),
    },
    "recall": {
        "none": _l("No recall and no safety notice was open for this equipment."),
        "open": _l("%(class)s of %(published)s was open for it: %(title)s (%(issuer)s %(no)s)."),
    },
    "recent_work": {
        "none": _l("No work on it in the %(days)s days before."),
        "month": _l("It was worked on %(days)s days before (%(no)s: %(type)s)."),
        "week": _l("It was worked on only %(days)s days before (%(no)s: %(type)s)."),
    },
}  # fmt: skip
EVENTS = {
    "sag": _l("voltage dip"),
    "swell": _l("voltage swell"),
    "outage": _l("power cut"),
}
LABELLED = {
    ("recent_work", "type"): "work_type",
    ("recall", "class"): "recall_class",
    ("recall", "issuer"): "issuer",
}
OF = {"model": _l("Same model"), "category": _l("Same category")}
FOR = {
    Strength.STRONG: _l("strongly for: %(cause)s"),
    Strength.CLEAR: _l("clearly for: %(cause)s"),
    Strength.SLIGHT: _l("slightly for: %(cause)s"),
}
AGAINST = {
    Strength.STRONG: _l("strongly against: %(cause)s"),
    Strength.CLEAR: _l("clearly against: %(cause)s"),
    Strength.SLIGHT: _l("slightly against: %(cause)s"),
}


def said(found: Found) -> str:
    """Return a piece of evidence as a sentence in the language spoken."""
    sentence = str(SENTENCES[found.kind][found.level])
    return sentence % {name: _shown(name, value) for name, value in _named(found).items()}


def _named(found: Found) -> dict[str, Any]:
    """Return the facts with names in the language spoken; what a sentence lacks is a dash."""
    facts = dict.fromkeys(("high", "ratio", "worst", "volts"), "–") | found.facts
    for name in ("sensor", "step", "title"):
        if name in facts:
            facts[name] = choose(facts[name], facts.get(f"{name}_zh"))
    for (kind, name), words in LABELLED.items():
        if found.kind == kind and name in facts:
            facts[name] = label(words, facts[name])
    return facts | _special(found)


def _special(found: Found) -> dict[str, Any]:
    """Return the facts whose words come from elsewhere, or are written otherwise."""
    facts = found.facts
    if found.kind == "symptom":
        symptom = SYMPTOMS.get(facts["symptom"])
        return {"symptom": symptom.name if symptom else facts["symptom"]}
    if found.kind == "power" and facts["what"]:
        return {"what": EVENTS[facts["what"]]}
    if found.kind == "hazard":
        return {"of": OF[facts["of"]]}
    if found.kind == "shift":
        return {"usual": f"{facts['usual']:.0%}"}
    return {}


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    if name in {"due", "late_after", "published"}:
        locale = "zh_Hans_CN" if language() == "zh" else "en_GB"
        return format_date(date.fromisoformat(value), format="medium", locale=locale)
    return str(value)


def weight_words(piece: Piece) -> str:
    """Return how much a piece says and of which cause, for example "strongly for: Environment"."""
    cause = piece.speaks_for or piece.speaks_against
    if cause is None or piece.strength is Strength.NOTHING:
        return _("says little either way")
    words = FOR if piece.speaks_for else AGAINST
    return str(words[piece.strength]) % {"cause": cause_word(cause)}


def cause_word(cause: Cause | str) -> str:
    """Return a cause in the language spoken."""
    return label("root_cause", Cause(cause).value)
