"""What every page takes from the design: states, icons, fields, and how little they weigh."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from apm.core.http import Form
from apm.labels import LABELS
from apm.pages import MENU

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "static"
SPRITE = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
OURS = [*STATIC.glob("*.css"), *STATIC.glob("*.svg"), *(STATIC / "js").glob("*.js")]


def squeezed(*paths: Path) -> int:
    """Return how many bytes travel."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def macro(app: Flask, file: str, name: str, *args: object, **params: object) -> str:
    """Return what a macro draws."""
    with app.test_request_context("/"):
        return str(
            getattr(app.jinja_env.get_template(f"_/{file}.html").module, name)(*args, **params)
        )


class Tags(HTMLParser):
    """The attributes of every element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append({"tag": tag, **dict(attrs)})


def test_every_state_is_drawn(app):
    with app.test_request_context("/"):
        tones = app.jinja_env.get_template("_/status.html").module.TONES

    for kind in tones.keys() & LABELS.keys():
        assert set(LABELS[kind]) <= set(tones[kind]), kind
    assert {f"s-{tone}" for kind in tones.values() for tone in kind.values()} <= SPRITE


def test_every_icon_asked_for_exists():
    asked = {icon for _url, _text, icon, _permission in MENU}
    for path in (ROOT / "templates").rglob("*.html"):
        page = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
        asked |= set(re.findall(r'(?:\b(?:icon|symbol|empty)\(|\bicon=)"([\w-]+)"\s*[,)%]', page))

    assert asked - SPRITE == set()


def test_pages_stay_light():
    nurse = [
        STATIC / "public.css",
        STATIC / "visitor.css",
        STATIC / "icons.svg",
        STATIC / "js/report.js",
        STATIC / "js/once.js",
    ]

    assert squeezed(STATIC / "public.css") <= 3200
    assert squeezed(*nurse) < 10_000  # leaves 5 kB of the page's 15 for its HTML
    everywhere = set(STATIC.glob("*.css")) - {STATIC / "environment.css"}
    assert squeezed(*everywhere) < 12_000
    assert squeezed(STATIC / "environment.css") < 1_600  # its own pages alone load it


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_comes_from_another_origin(path):
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")

    assert re.findall(r"""(?:https?:)?//[\w-]+\.[\w.-]+""", text) == []


def test_a_field_shows_its_error_to_everybody(app):
    form = Form(None, {"serial": ["Too long."]}, MultiDict({"serial": '"><b>x'}))

    html = macro(app, "form", "field", form, "serial", "Serial number", hint="As on the plate.")

    tags = Tags(html).found
    [box] = [tag for tag in tags if tag["tag"] == "input"]
    assert box["value"] == '"><b>x'
    assert box["aria-invalid"] == "true"
    assert set((box["aria-describedby"] or "").split()) <= {tag.get("id") for tag in tags}
    assert [tag["for"] for tag in tags if tag["tag"] == "label"] == [box["id"]]
    assert "Too long." in html


def test_what_was_typed_wins_over_what_was_stored(app):
    typed = Form(None, {}, MultiDict({"name": "typed"}))

    assert 'value="stored"' in macro(app, "form", "field", None, "name", "Name", value="stored")
    assert 'value="typed"' in macro(app, "form", "field", typed, "name", "Name", value="stored")


def test_a_password_is_never_sent_back(app):
    form = Form(None, {}, MultiDict({"password": "secret"}))

    assert "secret" not in macro(app, "form", "field", form, "password", "Password", "password")


def test_a_form_shown_again_keeps_its_nonce(app):
    form = Form(None, {}, MultiDict({"nonce": "the-first"}))

    assert 'value="the-first"' in macro(app, "form", "once", form)
    assert macro(app, "form", "once") != macro(app, "form", "once")
