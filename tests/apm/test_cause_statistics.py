"""Confirmed causes counted by hand, and how proposals are measured."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from apm.analytics.causes import By, actions, calibration, confirmed_cases, lines_by, total_of
from apm.analytics.queries import hospital_period
from apm.attribution.commands import confirm_cause
from apm.attribution.queries import attribution_of
from predict.cause_table import Cause
from tests.apm.hospital import make_asset, make_work
from tests.queries import count_queries

pytestmark = pytest.mark.database


def decided(as_, cause, *, said=None, p=0.9, who="wang", **details):
    """A failure whose cause was confirmed, after `said` was proposed with `p`."""
    facts = {"manufacturer": "Acme", "model": "M1", "department": "ICU", "location": "Bay",
             **details}  # fmt: skip
    order = make_work(as_(who), make_asset(as_(who), facts.pop("category", "MON"), **facts))
    confirm_cause(as_(who), no=order.no, cause=cause, reason="Seen")
    with (ctx := as_(who)).writing("test.said"):
        row = attribution_of(ctx, order)
        row.failed_at -= timedelta(days=1)
        if said:
            row.said_at_once, row.said_with = said, p
    return order


def cases_of(as_, who="wang"):
    return confirmed_cases(as_(who), hospital_period(as_(who)))


def test_shares_by_group_with_their_intervals(as_):
    for _ in range(3):
        decided(as_, Cause.QUALITY, model="Bad")
    decided(as_, Cause.WEAR, model="Bad")
    decided(as_, Cause.USER, department="ER")
    decided(as_, Cause.USER, who="qin")
    make_work(as_("wang"))  # not decided
    cases = cases_of(as_)
    bad, other = lines_by(cases, By.MODEL)
    assert (bad.name, bad.n, other.n) == ("Acme Bad", 4, 1)
    quality = bad.shares[Cause.QUALITY]
    assert (quality.k, quality.n, quality.share) == (3, 4, 0.75)
    assert quality.interval[0] < 0.75 < quality.interval[1]
    assert total_of(cases).n == 5
    assert [line.name for line in lines_by(cases, By.DEPARTMENT)] == ["ICU", "ER"]
    assert len(lines_by(cases, By.MONTH)) == 1
    assert len(cases_of(as_, "qin")) == 1


def test_actions_need_enough_cases(as_):
    for cause in (Cause.ENVIRONMENT, Cause.ENVIRONMENT, Cause.WEAR):
        decided(as_, cause, location="Hot room")
    decided(as_, Cause.ENVIRONMENT, location="Elsewhere")
    [one] = actions(cases_of(as_), Cause.ENVIRONMENT, lambda case: case.room)
    assert (one.name, one.found.k, one.found.n, len(one.orders)) == ("Hot room", 2, 3, 2)


def test_calibration_counts_first_proposals(as_):
    for n in range(10):
        wanted = Cause.WEAR if n < 7 else Cause.USER
        order = decided(as_, wanted, said=Cause.WEAR, p=0.7)
        if n == 0:  # changed later: the first decision is what was compared
            confirm_cause(as_("wang"), no=order.no, cause=Cause.WEAR, reason="Again")
    decided(as_, Cause.USER, said=Cause.UNDETERMINED, p=0.4)
    found = calibration(cases_of(as_))
    assert (found.proposed, found.open) == (10, 1)
    [full] = [one for one in found.bins if one.n]
    assert (full.n, full.confirmed, full.said) == (10, 7, pytest.approx(0.7))
    assert found.score.brier == pytest.approx((7 * 0.09 + 3 * 0.49) / 10)
    assert found.score.reference == pytest.approx(0.21)


def test_too_few_decisions_have_no_score(as_):
    decided(as_, Cause.WEAR, said=Cause.WEAR)
    found = calibration(cases_of(as_))
    assert (found.proposed, found.score) == (1, None)


def test_the_page_and_its_file(as_, login, engine):
    browser = login("zhao")
    url = "/analytics/causes"
    assert "No cause is confirmed" in browser.get(url).text
    decided(as_, Cause.USER, said=Cause.USER, name="=cmd", model="M7")
    with count_queries(engine) as few:
        browser.get(url)
    for cause in (Cause.USER, Cause.WEAR):
        decided(as_, cause, said=Cause.USER, model="M7")
    with count_queries(engine) as many:
        page = browser.get(f"{url}?by=department").text
    assert len(many) == len(few)
    for words in ("Use and operation", "ICU", "2 of 3", "Not enough history", "Training"):
        assert words in page
    for by in ("model", "category", "month", "x"):
        assert browser.get(url, query_string={"by": by}).status_code == 200
    assert browser.get(f"{url}?from=never").status_code == 422
    rows = list(csv.reader(io.StringIO(browser.get(f"{url}.csv").text.lstrip("\ufeff"))))
    assert len(rows) == 4
    assert rows[-1][5] == "'=cmd"
    assert browser.get(f"{url}.csv?from=never").status_code == 422
    assert login("chen").get(url).status_code == 403
    assert "M7" not in login("qin").get(url).text
