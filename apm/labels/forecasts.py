"""What is foretold, from what, and how it turned out."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "forecast_kind": {
        "life": _l("Life of its kind"),
        "trend": _l("Trend of a sensor"),
        "soon": _l("Signs before failures"),
    },
    "chance_band": {
        "probable": _l("Probable"),
        "possible": _l("Quite possible"),
        "seldom": _l("Possible"),
        "unlikely": _l("Unlikely"),
    },
    "chance_range": {
        "probable": _l("Probable (50 % or more)"),
        "possible": _l("Quite possible (20 to 50 %)"),
        "seldom": _l("Possible (5 to 20 %)"),
        "unlikely": _l("Unlikely (below 5 %)"),
    },
    "outcome": {
        "open": _l("Not yet known"),
        "hit": _l("Warned, and it failed"),
        "miss": _l("Failed without a warning"),
        "false_alarm": _l("False alarm"),
        "averted": _l("Warned, and averted"),
        "quiet": _l("No warning, no failure"),
        "unresolved": _l("Nobody can tell"),
    },
    "within_outcome": {
        "open": _l("Not yet known"),
        "hit": _l("It came"),
        "miss": _l("It came"),
        "false_alarm": _l("It did not come"),
        "averted": _l("It came, and was averted"),
        "quiet": _l("It did not come"),
        "unresolved": _l("Nobody can tell"),
    },
    "dismissal": {
        "checked_fine": _l("Checked: it is sound"),
        "known_cause": _l("Harmless known cause"),
        "replaced_soon": _l("Will be replaced or retired anyway"),
        "wrong_data": _l("The data behind it are wrong"),
    },
    "model_state": {
        "shadow": _l("On trial"),
        "active": _l("At work"),
        "muted": _l("Muted"),
        "retired": _l("Replaced"),
    },
    # What speaks for a forecast.  The figures come with it; what is missing is shown as a dash.
    "driver": {
        "since_failure": _l("Last failure %(days)s days ago; usual: %(typical_days)s"),
        "since_renewal": _l("Part replaced %(days)s days ago; usual life: %(typical_days)s"),
        "since_new": _l("New %(days)s days ago; usual time to a failure: %(typical_days)s"),
        "since_records": _l(
            "No failure for %(days)s days on record; usual time to one: %(typical_days)s"
        ),
        "failures_last_year": _l(
            "%(n)s failures in the last year; its rate is %(ratio)s times that of its kind"
        ),
        "own_history": _l(
            "Learned from %(failures)s failures of its own, %(of_make)s of its make"
        ),
        "slope": _l("Changes by %(per_day)s %(unit)s a day, seen over %(days)s days"),
        "distance": _l("Now at %(value)s %(unit)s, limit %(limit)s %(unit)s"),
        "not_heading": _l("Now at %(value)s %(unit)s and not heading for a limit"),
        "since_change": _l("Only %(days)s days since its course changed"),
        "open_end": _l("It may not reach the limit at all"),
        "soon_age": _l("In use for %(days)s days"),
        "soon_failures": _l("%(n)s failures in the last %(days)s days"),
        "soon_upkeep": _l("Maintained %(n)s times in the last %(days)s days"),
        "soon_alarms": _l("%(n)s alarms in the last %(days)s days"),
        "soon_errors": _l("%(n)s errors in its own log in the last %(days)s days"),
        "soon_make": _l("How often its make fails"),
        "soon_risk": _l("Its risk class"),
    },
    "forecast_way": {
        "now": _l("Act now"),
        "visit": _l("With the next planned work"),
        "best": _l("By itself, at the best moment"),
        "failure": _l("Wait until it fails"),
    },
    # The facts that an explanation weighs; the values stand beside them.
    "forecast_fact": {
        "life_age": _l("Time since its last failure, or since it was new"),
        "life_record": _l("How often it fails, against its make"),
        "life_make": _l("How often its make fails, against its category"),
        "soon_age": _l("Time in use"),
        "soon_make": _l("How often its category fails"),
        "soon_risk": _l("Its risk class"),
        "soon_failures": _l("Failures in the last %(days)s days"),
        "soon_upkeep": _l("Planned work in the last %(days)s days"),
        "soon_alarms": _l("Alarms in the last %(days)s days"),
        "soon_errors": _l("Errors in its own log in the last %(days)s days"),
        "trend_last_days": _l("Mean of the readings of the last %(from)s days"),
        "trend_days_between": _l("Mean of the readings from %(from)s to %(to)s days ago"),
        "trend_days_before": _l("Mean of the readings more than %(to)s days ago"),
    },
    # What history is missing: how much there is, and how much it takes.
    "forecast_needs": {
        "failures": _l("failures of this kind of equipment on record"),
        "days": _l("days with readings"),
        "failures_to_learn_from": _l("failures to learn the signs from"),
        "sensors_with_limit": _l("sensors with a limit"),
        "unproven": _l("a model that beats plain arithmetic; one is on trial"),
    },
}
