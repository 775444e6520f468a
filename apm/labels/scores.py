"""How forecasts are scored, in words."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "outcome_why": {
        "failure": _l("A repair began"),
        "limit": _l("The sensor reached its limit"),
        "failed_step": _l("A step of planned work failed"),
        "cause": _l("Planned work found a cause"),
        "part": _l("A part was replaced on the warning"),
        "as_found_defect": _l("The technician found a defect"),
        "as_found_wear": _l("The technician found wear that would have led to a failure"),
        "as_found_nothing": _l("The technician found nothing wrong"),
        "as_found_cannot_tell": _l("The technician could not tell"),
        "replaced": _l("A part was replaced as planned, without a finding"),
        "retired": _l("Retired before the horizon ended"),
        "disposed": _l("Disposed of before the horizon ended"),
        "missing": _l("Missing before the horizon ended"),
        "looked": _l("Somebody looked and found nothing"),
        "dismissed": _l("Set aside as sound"),
        "horizon": _l("The horizon ended"),
        "limit_before": _l("The limit was passed already when it was made"),
    },
    "state_why": {
        "few_failures": _l("On trial: too few failures in the test on the past."),
        "no_better_than_baseline": _l(
            "On trial: in the test on the past it was no better than the baseline (Brier score "
            "%(brier)s against %(base_brier)s)."
        ),
        "after_a_muted_one": _l("On trial: the version before it was muted."),
        "beats_baseline": _l(
            "At work: in the test on the past it beat the baseline (Brier score %(brier)s against "
            "%(base_brier)s)."
        ),
        "not_compared_yet": _l("On trial beside version %(rival)s, not compared yet."),
        "beats_active": _l("At work: in the test on the past it beat version %(rival)s."),
        "no_better_than_active": _l(
            "On trial: in the test on the past it was no better than version %(rival)s."
        ),
        "few_trends": _l("On trial: too few trends towards a limit in the test on the past."),
        "beats_standing_still": _l(
            "At work: in the test on the past it followed the readings better than the last value."
        ),
        "no_better_than_standing_still": _l(
            "On trial: in the test on the past it was no better than the last value."
        ),
        "unreadable": _l("Retired: its stored model cannot be read. A new one is trained."),
        "replaced": _l("Replaced by version %(version)s."),
        "by_hand": _l("Decided by %(by)s: %(reason)s"),
        "worse_than_baseline": _l(
            "Muted: worse than the baseline. Its skill is %(skill)s (%(low)s to %(high)s) in "
            "%(n)s judged forecasts."
        ),
        "better_again": _l(
            "At work again: better than the baseline. Its skill is %(skill)s (%(low)s to "
            "%(high)s) in %(n)s judged forecasts."
        ),
        "beat_baseline": _l(
            "At work: better than the baseline. Its skill is %(skill)s (%(low)s to %(high)s) in "
            "%(n)s judged forecasts."
        ),
        "beat_active": _l(
            "At work: better than version %(rival)s at the same moments. Its skill against it is "
            "%(skill)s (%(low)s to %(high)s) in %(n)s judged forecasts."
        ),
    },
    "trained_why": {
        "first": _l("The first of its kind"),
        "schedule": _l("On schedule"),
        "drift": _l("Because the equipment or its use has changed"),
        "by_hand": _l("Somebody asked for it"),
        "unreadable": _l("The stored model could not be read"),
    },
    "score_rule": {
        "model": _l("This model"),
        "mtbf": _l("Last failure plus mean time between failures"),
        "calendar": _l("As many visits by the calendar"),
        "always": _l("Always warn"),
    },
}
