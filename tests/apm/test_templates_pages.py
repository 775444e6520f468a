"""The editor by plain forms, the signed pages, and the same by JSON."""

import io

import pytest

from apm.core.permissions import Role
from apm.procedures import queries
from apm.procedures.shelf import template_for
from apm.procedures.yaml_files import from_yaml, to_yaml
from tests.conftest import PASSWORD

STEP = {
    "kind": "measure", "en": "Warmth", "zh": "温度", "section": "measurement", "unit": "℃",
    "at": "３６; 37", "rule": "abs", "abs": "0,5 ℃", "limit": "9", "source": "Manual p. 3",
    "trust": "seen", "mandatory": "true", "on_fail": "stop", "id": "warm",
}  # fmt: skip


@pytest.fixture
def wang(login):
    return login("wang")


def draft(as_, code="WARMER"):
    return queries.own_template(as_("wang"), code).draft


def begin(browser, code="WARMER", **more):
    names = {"code": code, "en": "Warmer", "zh": "辐射台", **more}
    answer = browser.post("/templates/new", data=names)
    assert answer.status_code == 303, answer.text
    return answer.location


def test_from_an_empty_page_to_a_released_version(wang, as_):
    where = begin(wang)
    assert "No steps here yet" in wang.get(where).text
    saved = wang.post(f"{where}/add", data=STEP)
    assert saved.location == f"{where}#step-warm"
    [step] = draft(as_)["steps"]
    assert (step["at"], step["tolerance"]) == ([36, 37], {"type": "abs", "abs": 0.5})
    assert (step["unit"], step["photo"], step["on_fail"]) == ("degC", False, "stop")
    head = {"en": "Warmer", "zh": "辐射台", "interval_months": "3", "minutes": "30",
            "tools": "Thermometer\n\nStopwatch", "parts": "Bulb | 灯泡 | 24 months",
            "absorbs": "mon"}  # fmt: skip
    assert wang.post(f"{where}/head", data=head).status_code == 303
    assert draft(as_)["tools"] == ["Thermometer", "Stopwatch"]
    assert draft(as_)["absorbs"] == ["MON"]
    release = {"note": "First", "password": PASSWORD}
    assert wang.post(f"{where}/release", data=release).status_code == 409
    tried = wang.post(f"{where}/try", data={"t0": "36.6", "t1": "37,4"})
    assert tried.status_code == 303
    assert "2 of 2 steps tried" in wang.get(tried.location).text
    assert wang.post(f"{where}/release", data=release | {"password": "no"}).status_code == 422
    assert wang.post(f"{where}/release", data=release).location == "/templates/WARMER"
    page = wang.get("/templates/WARMER").text
    assert "Our version 1" in page
    assert "Thermometer" in page
    assert template_for(as_("wang"), "WARMER").minutes == 30


def test_what_was_typed_wrong_is_shown_at_its_field_and_kept(wang, as_):
    where = begin(wang)
    for wrong, says in (
        ({"abs": "O.5"}, "If 0.5 is meant"),
        ({"abs": "0.5 K"}, "wanted in"),
        ({"at": "36, 37"}, "semicolon"),
        ({"unit": "furlong"}, "furlong"),
        ({"source": ""}, "Say where the limit comes from"),
        ({"rule": ""}, "needs a limit"),
        ({"rule": "asym_rel", "low": "5", "high": "-5"}, "below the lower one"),
        ({"rule": "by_range", "ranges": "5-20"}, "square"),
        ({"id": "två steg"}, "up to 30 letters"),
        ({"zh": " "}, "Fill this in"),
    ):
        answer = wang.post(f"{where}/add", data={**STEP, **wrong})
        assert answer.status_code == 422, wrong
        assert says in answer.text or "round bracket" in answer.text, wrong
        assert 'value="Warmth"' in answer.text
    assert draft(as_)["steps"] == []
    wang.post(f"{where}/add", data=STEP)
    again = wang.post(f"{where}/add", data=STEP)
    assert again.status_code == 422
    assert "There are two steps" in again.text


def test_ranges_and_percentages_are_typed_as_one_reads_them(wang, as_):
    where = begin(wang)
    asym = {**STEP, "rule": "asym_rel", "low": "-30 %", "high": "５％", "id": "a"}
    by_range = {**STEP, "rule": "by_range", "ranges": "[5，40) 8%；[40, 200] 6 %", "id": "b"}
    for step in (asym, by_range):
        assert wang.post(f"{where}/add", data=step).status_code == 303
    first, second = (step["tolerance"] for step in draft(as_)["steps"])
    assert first == {"type": "asym_rel", "low": -0.3, "high": 0.05}
    assert [(r["from"], r["to"], r["to_inc"], r["rel"]) for r in second["ranges"]] == [
        (5, 40, False, 0.08),
        (40, 200, True, 0.06),
    ]


def test_a_step_is_moved_changed_and_removed_without_a_mouse(wang, as_):
    where = begin(wang, "VENT", copy_of="VENT")
    move = wang.post(f"{where}/steps/q2/move", data={"to": "up"})
    assert move.location.endswith("#step-q2")
    ids = [step["id"] for step in draft(as_, "VENT")["steps"]]
    assert ids.index("q2") < ids.index("q1")
    page = wang.get(f"{where}/steps/vt")
    assert 'value="50; 100; 200; 400; 600; 800"' in page.text
    changed = {**STEP, "en": "Volume", "zh": "潮气量", "unit": "mL", "rule": "rel", "rel": "10"}
    assert wang.post(f"{where}/steps/vt", data=changed | {"id": "other"}).status_code == 303
    assert wang.post(f"{where}/steps/q1/remove").status_code == 303
    by_id = {step["id"]: step for step in draft(as_, "VENT")["steps"]}
    assert by_id["vt"]["tolerance"] == {"type": "rel", "rel": 0.1}
    assert "q1" not in by_id
    assert "other" not in by_id, "the ID of a step stays"
    diff = wang.get("/templates/VENT/diff?from=shipped&to=draft&lang=zh").text
    assert "潮气量" in diff
    assert "新增" not in diff
    assert "删除" in diff


def test_somebody_with_an_old_page_is_told(wang, as_):
    where = begin(wang)
    assert wang.post(f"{where}/add", data={**STEP, "base": "999"}).status_code == 412
    assert draft(as_)["steps"] == []
    wang.post(f"{where}/add", data=STEP)
    answer = wang.post(f"{where}/steps/warm/remove", data={"base": "999"}, follow_redirects=True)
    assert "Somebody else changed this draft" in answer.text
    assert len(draft(as_)["steps"]) == 1


def test_a_limit_is_confirmed_on_its_page(wang, as_):
    page = wang.get("/templates/VENT").text
    assert 'href="/templates/VENT/limits/vt"' in page
    assert "limits wait to be confirmed" in page
    form = {"rule": "sum_of", "abs": "4", "rel": "15", "source": "ISO", "password": PASSWORD}
    for wrong in ({"password": "x"}, {"source": ""}, {"abs": "four"}, {"rule": "none"}):
        assert wang.post("/templates/VENT/limits/vt", data=form | wrong).status_code == 422
    assert wang.post("/templates/VENT/limits/vt", data=form).status_code == 303
    assert "Wang Lei, 20" in wang.get("/templates/VENT").text


@pytest.mark.parametrize("kind", ["yaml", "xlsx"])
def test_a_file_goes_out_by_one_page_and_in_by_another(wang, as_, kind):
    sent = wang.get(f"/templates/MON/export.{kind}")
    assert f'filename="MON.{kind}"' in sent.headers["Content-Disposition"]
    whole = wang.get(f"/templates/export.{kind}")
    assert whole.status_code == 200
    answer = wang.post("/templates/import", data={"file": (io.BytesIO(sent.data), "x")})
    assert answer.location == "/templates/MON/draft"
    bad = sent.data[:-40] if kind == "xlsx" else sent.data.replace(b"unit: mV", b"unit: XX")
    refused = wang.post("/templates/import", data={"file": (io.BytesIO(bad), "x")})
    assert refused.status_code == 422
    assert "Nothing was imported" in refused.text


def test_readers_see_and_do_not_edit(login, wang):
    where = begin(wang)
    chen = login("chen")
    assert "New template" not in chen.get("/templates").text
    assert chen.get("/templates/VENT").status_code == 200
    assert "Confirm this limit" not in chen.get("/templates/VENT").text
    for path in (where, f"{where}/release", "/templates/new", "/templates/VENT/limits/vt"):
        assert chen.get(path).status_code == 403
    assert login("qin").get(where).status_code == 404


def test_a_program_puts_a_draft_and_a_person_signs_it(client, bearer, wang, as_):
    headers = bearer(Role.ENGINEER)
    url = "/api/v1/templates"
    names = {"code": "MON-D", "en": "Daily", "zh": "日检", "copy_of": "MON"}
    made = client.post(url, json=names, headers=headers)
    assert made.status_code == 201
    assert client.post(url, json=names, headers=headers).status_code == 409
    document = made.json["document"]
    assert from_yaml(to_yaml([document]).decode()) == [document]
    document["steps"] = [s for s in document["steps"] if s["id"] in {"hr", "q1"}]
    old = made.headers["ETag"]
    put = client.put(f"{url}/MON-D/draft", json=document, headers={**headers, "If-Match": old})
    assert put.status_code == 200
    again = client.put(f"{url}/MON-D/draft", json=document, headers={**headers, "If-Match": old})
    assert again.status_code == 412
    assert client.get(f"{url}/MON-D/draft", headers=headers).json["document"] == document
    document["steps"][1]["unit"] = "furlong"
    bad = client.put(f"{url}/MON-D/draft", json=document, headers=headers)
    assert bad.status_code == 422
    assert "furlong" in str(bad.json["fields"])
    answers = {"answers": {"hr@60": {"value": "64"}, "q1": {"verdict": "pass"}}}
    tried = client.post(f"{url}/MON-D/draft/try", json=answers, headers=headers)
    assert (tried.json["answered"], tried.json["of"]) == (2, 6)
    assert tried.json["results"]["hr@60"]["verdict"] == "pass"
    sign = {"note": "Daily", "password": PASSWORD}
    assert client.post(f"{url}/MON-D/release", json=sign, headers=headers).status_code == 403
    assert wang.post(f"{url}/MON-D/release", json=sign).status_code == 201
    versions = client.get(f"{url}/MON-D/versions", headers=headers).json["items"]
    assert [(v["number"], v["person"]) for v in versions] == [(1, "Wang Lei")]
    whole = client.get(f"{url}/MON-D/versions/1", headers=headers).json
    assert len(whole["document"]["steps"]) == 2
    diff = client.get(f"{url}/MON-D/diff?from=shipped&to=1", headers=headers).json
    assert {one["change"] for one in diff["steps"]} == {"removed"}
    assert client.get(url, headers=headers).json["items"][0]["code"] == "MON-D"


def test_limits_are_confirmed_by_json_with_a_password(client, bearer, wang):
    url = "/api/v1/templates/VENT/confirmations"
    said = {"step": "vt", "source": "ISO", "password": PASSWORD}
    assert client.post(url, json=said, headers=bearer(Role.ENGINEER)).status_code == 403
    made = wang.post(url, json=said)
    assert made.status_code == 201
    assert wang.get(url).json["items"] == made.json
    steps = {s["key"]: s for s in wang.get("/api/v1/templates/VENT").json["steps"]}
    assert steps["vt@50"]["confirmed_by"].startswith("Wang Lei")
    assert not steps["vt@50"]["to_verify"]


def test_a_retired_template_leaves_the_lists_and_comes_back(wang, as_):
    where = begin(wang)
    wang.post(f"{where}/add", data=STEP)
    wang.post(f"{where}/try", data={"t0": "36"})
    wang.post(f"{where}/release", data={"note": "First", "password": PASSWORD})
    asset = wang.post(
        "/api/v1/assets", json={"number": "W-1", "name": "W", "category": "MON"}
    ).json["code"]
    assert "Warmer" in wang.get(f"/plans/new?asset={asset}").text
    assert wang.post("/templates/WARMER/retire").status_code == 303
    assert "Warmer" not in wang.get(f"/plans/new?asset={asset}").text
    assert "Retired" in wang.get("/templates").text
    wang.post("/templates/WARMER/reinstate")
    assert "Warmer" in wang.get(f"/plans/new?asset={asset}").text
