"""What features offer one another, filled by importing them.

A registry that is read before every feature was imported lacks something and says nothing: a model
learns from fewer logs, an event is heard by nobody.  So these refuse to be read until then, and
refuse to be added to afterwards: what comes later was missing for those who read before.
`factory.load_features` and `factory.load_pages` say when all is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Stage(Enum):
    """What must have been imported before a registry may be read."""

    FEATURES = "load_features"
    """The jobs and handlers of all features: all that works without a page."""
    PAGES = "load_pages"
    """Their pages and APIs too."""


class NotLoaded(RuntimeError):
    """A registry was read before everything that registers with it was imported."""


class TooLate(RuntimeError):
    """Something registered after its registry could be read: it was missing until now."""


_loaded: set[Stage] = set()


def all_loaded(stage: Stage) -> None:
    """Say that all of a stage is imported; for `factory` alone."""
    _loaded.add(stage)


class _Filling(Generic[T]):
    """Things under keys, in the order in which they came."""

    def __init__(self, what: str, stage: Stage = Stage.FEATURES) -> None:
        self.what, self.stage = what, stage
        self._things: list[tuple[str, T]] = []
        self._is_trial = False

    def _add(self, key: str, thing: T) -> None:
        if self.stage in _loaded and not self._is_trial:
            raise TooLate(
                f"{thing!r} registers with {self.what} after {self.stage.value}(): import its "
                "module from its feature's jobs.py, handlers.py, web.py or api.py"
            )
        self._things.append((key, thing))

    def _read(self) -> list[tuple[str, T]]:
        if self.stage not in _loaded:
            raise NotLoaded(
                f"{self.what} would be read half-filled: call "
                f"apm.factory.{self.stage.value}() first"
            )
        return self._things

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Let a test add things; they are gone afterwards."""
        kept, self._is_trial = list(self._things), True
        try:
            yield
        finally:
            self._things, self._is_trial = kept, False


class Registry(_Filling[T], Mapping[str, T]):
    """Things by name, each name once."""

    def add(self, name: str, thing: T) -> None:
        """Register a thing.

        Raises:
            ValueError: there is one of that name.
        """
        if any(name == known for known, _ in self._things):
            raise ValueError(f"two {self.what} are called {name}")
        self._add(name, thing)

    def __getitem__(self, name: str) -> T:
        """Return what is called so."""
        return dict(self._read())[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter([name for name, _ in self._read()])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._read())


class Hooks(_Filling[T]):
    """Functions to be called in turn, some of them for one key only."""

    def add(self, hook: T, key: str = "") -> None:
        """Register a function."""
        self._add(key, hook)

    def of(self, key: str = "") -> list[T]:
        """Return the functions of a key, the first registered first."""
        return [hook for known, hook in self._read() if known == key]

    def keys(self) -> set[str]:
        """Return the keys that have a function."""
        return {key for key, _ in self._read()}

    def __iter__(self) -> Iterator[T]:
        """Return all functions."""
        return iter([hook for _, hook in self._read()])
