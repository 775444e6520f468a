"""Every text is said in Chinese, with the same named places."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from apm.assets.columns import state_of, state_word
from apm.assets.model import AssetState
from apm.core.i18n import speaking
from apm.labels import label

ROOT = Path(__file__).parents[2]
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "Spoken": None, "ngettext": (1, 2)}
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff](?:[,?!;:]|\.(?:\s|$))")
"""A Western mark after a Chinese character; a dot may begin a file's suffix, as in `.xlsx`."""


def is_read(folder):
    """Babel by itself leaves out folders that begin with `_`, and the macros live in one."""
    return not Path(folder).name.startswith(".")


@pytest.fixture(scope="module")
def texts():
    """Where each text stands, and the text: reading all the code takes a while."""
    return list(extracted())


def extracted():
    for folder in ("apm", "seed", "templates"):
        found = extract_from_dir(
            ROOT / folder, METHODS, {}, KEYWORDS, directory_filter=is_read, strip_comment_tags=True
        )
        for path, line, message, _comments, _context in found:
            yield f"{folder}/{path}:{line}", message


def spoken(message):
    """All Chinese forms of a message; none when it is not translated."""
    if message is None:
        return []
    return [
        form for form in (message.string if message.pluralizable else [message.string]) if form
    ]


@pytest.fixture(scope="module")
def catalogue():
    path = ROOT / "apm" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def test_texts_are_found_wherever_they_stand(texts):
    """A search that finds nothing would say that all is translated."""
    folders = {where.rpartition("/")[0] for where, _message in texts}

    assert {"apm", "apm/core", "apm/work", "templates", "templates/_"} <= folders


def test_every_text_has_its_chinese(catalogue, texts):
    missing = sorted(
        f"{where}: {message}" for where, message in texts if not spoken(catalogue.get(message))
    )
    assert missing == []


def test_nothing_is_left_half_sure(catalogue):
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []


def test_places_are_the_same_in_both_languages(catalogue):
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        wanted = message.id[-1] if message.pluralizable else message.id
        places = set(PLACE.findall(wanted))
        wrong += [message.id for form in spoken(message) if set(PLACE.findall(form)) != places]
    assert wrong == []


def test_chinese_texts_use_chinese_punctuation(catalogue):
    wrong = [
        form
        for message in catalogue
        if message.id
        for form in spoken(message)
        if HALF_WIDTH.search(form)
    ]
    assert wrong == []


@pytest.mark.parametrize("state", AssetState)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_a_page_and_a_list_call_the_state_of_an_asset_the_same(state, code):
    """Somebody who copies the word from a page into a spreadsheet is understood."""
    with speaking(code):
        shown = label("lifecycle", state)

        assert state_word(state) == shown
        assert state_of(shown) is state
