"""People by name, in the language spoken; nobody of another hospital by theirs."""

import pytest

from apm.accounts.commands import add_user
from apm.accounts.people import automatic_name, names_by_record
from apm.core.i18n import speaking
from apm.core.permissions import Role
from tests.apm.hospital import make_asset, make_work, start_work


@pytest.mark.database
@pytest.mark.parametrize(("language", "name"), [("en", "Chen Bo"), ("zh", "陈博")])
def test_a_record_names_a_person_by_address_or_by_name(as_, language, name):
    with speaking(language):
        names = names_by_record(as_("wang"))
    assert names["chen@north.example"] == names["Chen Bo"] == name
    assert "qin@south.example" not in names
    assert "Qin Yue" not in names


def test_a_name_that_two_share_stays_as_it_was_written(as_):
    add_user(
        as_("amy"), email="other@north.example", name="Chen Bo", name_zh="陈波",
        role=Role.TECHNICIAN, password="long enough to be taken",
    )  # fmt: skip
    with speaking("zh"):
        names = names_by_record(as_("wang"))
    assert "Chen Bo" not in names
    assert (names["chen@north.example"], names["other@north.example"]) == ("陈博", "陈波")


@pytest.mark.parametrize(
    ("recorded", "word"),
    [("system", "apm"), ("job:daily", "apm"), ("token:gate", "gate"), ("visitor", "login")],
)
def test_what_nobody_did_has_words_of_its_own(recorded, word):
    with speaking("en"):
        assert word in automatic_name(recorded)
    assert automatic_name("chen@north.example") is None


def test_the_story_of_an_order_names_people_in_chinese(as_, login):
    wang, chen = as_("wang"), as_("chen")
    made = make_work(wang, make_asset(wang))
    start_work(chen, wang, made)
    browser = login("wang")
    page = browser.get(f"/work-orders/{made.no}?lang=zh").get_data(as_text=True)
    assert "陈博" in page
    assert "chen@north.example" not in page
