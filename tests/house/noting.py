"""Which parameters and fields a page asks for, told by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict

ALWAYS = {"lang"}
"""What the program itself reads on every page."""


class Noting(ImmutableMultiDict[str, str]):
    """Parameters or fields that note what is asked for; "*" is all of them."""

    asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        """Note one that is wanted."""
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """Note one that is looked for."""
        self.asked.add(str(key))
        return super().__contains__(key)

    def getlist(self, key: str, *kind: Any, **options: Any) -> list[Any]:
        """Note one of which all are wanted."""
        self.asked.add(key)
        return super().getlist(key, *kind, **options)

    def __iter__(self) -> Iterator[str]:
        """Note that all are wanted."""
        self.asked.add("*")
        return super().__iter__()

    def items(self, multi: bool = False) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        """Note that all are wanted; the links to the other languages repeat what is there."""
        if not multi:
            self.asked.add("*")
        return super().items(multi)


@contextmanager
def noted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Within the block, the names that a request asked for beyond what every request does."""
    with monkeypatch.context() as patch:
        patch.setattr(app.request_class, "parameter_storage_class", Noting)
        asked: set[str] = set()
        patch.setattr(Noting, "asked", asked)
        yield asked
    asked -= ALWAYS
