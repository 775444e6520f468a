"""Plans of floors: uploaded, pinned, and current."""

from __future__ import annotations

import io

import pytest

from apm.core.errors import NotAllowed, NotFound, TooMany
from apm.environment import plans
from apm.environment.standing import Standing
from apm.readings.changing import retire_sensor, return_sensor
from tests.apm.hospital import jpeg
from tests.apm.test_environment_wall import HTMX, rooms, send, sensor

FIXTURES = (rooms,)


@pytest.fixture
def plan(as_, rooms):
    return plans.add_plan(as_("wang"), name="Floor 1", name_zh="一层", data=jpeg(800, 600))


def upload(browser, data, name="Floor 2"):
    form = {"name": name, "picture": (io.BytesIO(data), "floor.jpg")}
    return browser.post("/environment/plans", data=form)


@pytest.mark.database
def test_a_pin_shows_how_its_sensor_or_the_worst_of_its_place_stands(as_, plan):
    wang = as_("wang")
    code = sensor(wang, "OTHER", place="Store").location.code
    plans.place_pin(wang, plan_id=plan.id, what="sensor:FINE", x=12.3, y=50)
    [ct] = {value for value, text in plans.choices(wang) if text == "CT 1" and "place" in value}
    plans.place_pin(wang, plan_id=plan.id, what=ct, x=100, y=0)
    plans.place_pin(wang, plan_id=plan.id, what=f"place:{code}", x=1, y=1)

    found = {one.name: one for one in plans.pinned(wang, plans.plan_by_id(wang, plan.id))}

    assert {name: one.standing for name, one in found.items()} == {
        "CT 1": Standing.PENDING,
        "Sensor FINE": Standing.NORMAL,
        "Store": Standing.NO_DATA,
    }
    assert (found["Sensor FINE"].pin.x, found["Sensor FINE"].pin.y) == (123, 500)


def test_the_same_thing_again_moves_its_pin(as_, plan):
    wang = as_("wang")
    for x in (10, 20):
        plans.place_pin(wang, plan_id=plan.id, what="sensor:FINE", x=x, y=5)
    [pin] = plans.plan_by_id(wang, plan.id).pins
    assert pin.x == 200
    plans.remove_pin(wang, plan_id=plan.id, pin_id=pin.id)
    assert plans.plan_by_id(as_("wang"), plan.id).pins == []
    with pytest.raises(NotFound):
        plans.remove_pin(as_("wang"), plan_id=plan.id, pin_id=pin.id)


def test_only_what_is_ours_and_by_whom_may(as_, plan):
    for what in ("sensor:SOUTH-1", "place:NOWHERE1", "FINE", ""):
        with pytest.raises(NotFound):
            plans.place_pin(as_("wang"), plan_id=plan.id, what=what, x=1, y=1)
    with pytest.raises(NotAllowed):
        plans.place_pin(as_("chen"), plan_id=plan.id, what="sensor:FINE", x=1, y=1)
    with pytest.raises(NotFound):
        plans.place_pin(as_("qin"), plan_id=plan.id, what="sensor:SOUTH-1", x=1, y=1)


def test_pictures_are_known_by_their_content(login, rooms):
    wang = login("wang")
    assert upload(wang, jpeg()).status_code == 303
    assert upload(wang, jpeg()).status_code == 422  # the name is taken
    for data in (b"", b"<svg onload='x'/>", b"%PDF-1.7", jpeg()[:200]):
        refused = upload(wang, data, name="Another")
        assert refused.status_code == 422, data[:10]
        assert 'aria-invalid="true"' in refused.text
    assert upload(login("chen"), jpeg(), name="Another").status_code == 403


def test_there_is_an_end_to_plans(as_, monkeypatch, plan):
    monkeypatch.setattr(plans, "MOST_PLANS", 1)
    with pytest.raises(TooMany):
        plans.add_plan(as_("wang"), name="One more", data=jpeg())


def test_from_the_upload_to_pins_that_are_current(as_, login, rooms):
    wang = login("wang")
    page = upload(wang, jpeg()).location
    picture = wang.get(f"{page}.jpg")
    assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    refused = wang.post(f"{page}/pins", data={"what": "sensor:FINE", "x": "110", "y": ""})
    assert refused.status_code == 422
    said = {"what": "sensor:FINE", "x": "25,5", "y": "40"}
    assert wang.post(f"{page}/pins", data=said).status_code == 303

    shown = login("chen").get(page)
    assert "Sensor FINE: Normal" in shown.text
    assert "Place the pin" not in shown.text
    key = shown.headers["ETag"]
    again = login("chen").get(page, headers={**HTMX, "If-None-Match": key})
    assert (again.status_code, again.data) == (304, b"")
    send(as_("wang"), "FINE", [30.0])
    changed = login("chen").get(page, headers={**HTMX, "If-None-Match": key})
    assert "Warning" in changed.text
    assert "<html" not in changed.text

    for path in (page, f"{page}.jpg"):
        assert login("qin").get(path).status_code == 404
    assert wang.post(f"{page}/remove").status_code == 303
    assert wang.get(page).status_code == 404


def test_a_sensor_out_of_service_has_no_pin_until_it_is_back(as_, plan):
    plans.place_pin(as_("wang"), plan_id=plan.id, what="sensor:FINE", x=10, y=10)

    def shown():
        ctx = as_("chen")
        return [one.name for one in plans.pinned(ctx, plans.plan_by_id(ctx, plan.id))]

    assert shown() == ["Sensor FINE"]
    retire_sensor(as_("wang"), code="FINE")
    assert shown() == []
    assert "sensor:FINE" not in dict(plans.choices(as_("wang")))
    return_sensor(as_("wang"), code="FINE")
    assert shown() == ["Sensor FINE"]
