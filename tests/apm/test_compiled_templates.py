"""Templates are compiled once for all processes, where the program may write beside them."""

import sys

import pytest
from jinja2 import DictLoader, Environment

from apm.pages import compiled_templates


@pytest.fixture(autouse=True)
def writing(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_what_one_process_compiled_another_reads_and_a_change_is_seen(tmp_path):
    def shown(source):
        kept = compiled_templates(tmp_path / "kept")
        return Environment(loader=DictLoader({"a": source}), bytecode_cache=kept).get_template("a")

    assert shown("{{ 1 + 1 }}").render() == "2"
    [file] = (tmp_path / "kept").iterdir()
    written = file.stat().st_mtime_ns
    assert shown("{{ 1 + 1 }}").render() == "2"
    assert file.stat().st_mtime_ns == written
    assert shown("{{ 1 + 2 }}").render() == "3"


def test_where_nothing_can_be_written_pages_are_compiled_as_they_are_shown(tmp_path, monkeypatch):
    assert compiled_templates(tmp_path / "not" / "there") is None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert compiled_templates(tmp_path / "kept") is None
    assert not (tmp_path / "kept").exists()
