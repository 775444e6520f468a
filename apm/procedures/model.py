"""What a work order asks for, step by step, frozen when the order is made."""

from __future__ import annotations

from enum import StrEnum


class StepKind(StrEnum):
    """What kind of answer a step wants."""

    CHECK = "check"
    """pass, fail or not applicable"""
    MEASURE = "measure"
    """a number, judged against a tolerance"""


class Verdict(StrEnum):
    """What an answer means."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    FAIL = "fail"
    NOT_APPLICABLE = "na"
    UNJUDGED = "unjudged"
    """measured, but there is no limit yet: the engineer must judge (manufacturer limits)"""
