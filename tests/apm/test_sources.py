"""What limits rest on is said in Chinese, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.core.sources import sources

NAMES = re.compile(r"(GB|WS|ASHRAE|ISO|IEC)\s[\d.\-]+")
"""A standard's number is the same in every language."""


def said_in(plain: Any) -> Iterator[str]:
    if isinstance(plain, dict):
        for key, value in plain.items():
            if key == "source" and isinstance(value, str):
                yield value
            else:
                yield from said_in(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from said_in(value)


@pytest.mark.parametrize("file", ["alarm_rules.yaml", "environment.yaml", "energy.yaml"])
def test_every_source_has_its_chinese(file):
    said = set(said_in(read_yaml(ROOT / "seed" / file)))

    assert said
    assert [one for one in sorted(said - set(sources())) if not NAMES.fullmatch(one)] == []
