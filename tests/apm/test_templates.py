"""The maintenance templates: whole, judged right, shown in both languages."""

import pytest

from apm.assets.categories import all_categories
from apm.core.permissions import Role
from apm.procedures.catalogue import template, templates
from apm.procedures.model import StepKind
from apm.procedures.snapshot import steps_for
from tests.conftest import CAST

ALL = sorted(templates())


def test_there_is_one_for_each_category_of_medical_equipment():
    assert len(ALL) == 14
    assert set(ALL) <= {category.code for category in all_categories()}


@pytest.mark.parametrize("code", ALL)
def test_every_step_has_a_key_of_its_own_both_languages_and_a_source(code):
    steps = steps_for(template(code))
    assert len({step.key for step in steps}) == len(steps)
    assert [step.position for step in steps] == list(range(len(steps)))
    for step in steps:
        assert step.text
        assert any("\u4e00" <= letter <= "\u9fff" for letter in step.text_zh), step.key
        assert (step.kind is StepKind.MEASURE) == bool(step.tolerance and step.source)


def test_a_measurement_becomes_a_step_a_set_point():
    steps = {step.key: step for step in steps_for(template("VENT"))}
    assert steps["vt@400"].reference == 400
    assert steps["vt@400"].reference_text == "400 mL"
    assert steps["leak@30"].reference is None, "30 cmH2O is a condition, not what leaks"
    assert steps["leak@30"].reference_text == "30 cmH2O"


def test_a_limit_known_from_memory_asks_to_be_verified():
    steps = {step.key: step for step in steps_for(template("VENT"))}
    assert steps["vt@400"].to_verify
    assert not steps["es1"].to_verify


@pytest.mark.parametrize(
    ("code", "has", "lacks"),
    [
        ("VENT", {"es1", "es3", "es8"}, {"es4", "es7", "es10"}),
        ("DEFIB", {"es1", "es7"}, {"es4", "es8"}),
        ("INFP", {"es3", "es4", "es7"}, {"es8"}),
        ("HD", {"es1", "es3"}, {"es7", "es8"}),
    ],
    ids=["class I, B and BF", "class I, CF", "class I or II", "class I, B"],
)
def test_electrical_tests_fit_the_protection_class(code, has, lacks):
    keys = {step.key for step in steps_for(template(code))}
    assert has <= keys
    assert not lacks & keys


def test_what_is_optional_is_not_mandatory():
    steps = {step.key: step for step in steps_for(template("MON"))}
    assert not steps["es9"].mandatory
    assert not steps["ibp@100"].mandatory
    assert steps["es1"].mandatory


@pytest.mark.parametrize("code", ALL)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_has_a_page(login, code, lang):
    page = login("chen").get(f"/templates/{code}?lang={lang}")
    assert page.status_code == 200
    assert template(code).zh in page.get_data(as_text=True)
    assert template(code).en in page.get_data(as_text=True)


def test_the_list_leads_to_all_of_them(login):
    text = login("zhao").get("/templates").get_data(as_text=True)
    for code in ALL:
        assert f'href="/templates/{code}"' in text


def test_an_unknown_template_is_not_found(login):
    assert login("chen").get("/templates/TOASTER").status_code == 404


@pytest.mark.parametrize("who", sorted(CAST))
def test_reporters_do_not_need_them(login, who):
    expected = 403 if CAST[who][1] is Role.REPORTER else 200
    assert login(who).get("/templates").status_code == expected


def test_a_program_reads_them_page_by_page(client, bearer):
    headers = bearer(Role.ENGINEER)
    first = client.get("/api/v1/templates?limit=10", headers=headers).get_json()
    rest = client.get(f"/api/v1/templates?after={first['next']}", headers=headers).get_json()
    assert [t["code"] for t in first["items"] + rest["items"]] == list(templates())
    assert rest["next"] is None
    vent = first["items"][0]
    assert vent["name_zh"] == "呼吸机"
    assert {"key", "tolerance", "reference"} <= vent["steps"][-1].keys()
    one = client.get("/api/v1/templates/vent", headers=headers).get_json()
    assert one == vent
    assert client.get("/api/v1/templates", headers=bearer(Role.DEVICE)).status_code == 403
