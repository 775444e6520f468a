"""Every text is said in Chinese, with the same named places."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "ngettext": (1, 2)}
PLACE = re.compile(r"%\((\w+)\)[sd]|%[sd]")


def extracted():
    for folder in ("apm", "seed", "templates"):
        found = extract_from_dir(
            ROOT / folder, method_map=METHODS, keywords=KEYWORDS, options_map={}
        )
        for path, line, message, _comments, _context in found:
            yield f"{folder}/{path}:{line}", message


@pytest.fixture(scope="module")
def catalogue():
    path = ROOT / "apm" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def test_every_text_has_its_chinese(catalogue):
    missing = sorted(
        f"{where}: {message}"
        for where, message in extracted()
        if not (found := catalogue.get(message)) or not any([*found.string] or [""])
    )
    assert missing == []


def test_nothing_is_left_half_sure(catalogue):
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []


def test_places_are_the_same_in_both_languages(catalogue):
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(PLACE.findall(ids[-1]))
        wrong += [message.id for string in strings if set(PLACE.findall(string)) != wanted]
    assert wrong == []


def test_chinese_texts_use_chinese_punctuation(catalogue):
    """A full stop, comma or question mark after a Chinese character is the Chinese one."""
    wrong = [
        message.string
        for message in catalogue
        if isinstance(message.string, str) and re.search(r"[\u4e00-\u9fff][,.?!;:](\s|$)", message.string)
    ]
    assert wrong == []
