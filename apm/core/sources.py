"""The sources of shipped limits, in the language spoken."""

from __future__ import annotations

from functools import cache

from apm.core.i18n import choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml

CATALOGUE = ROOT / "seed" / "sources.yaml"


def said_source(english: str) -> str:
    """Return a source as it is called in the language spoken; what a hospital wrote stays.

    >>> from apm.core.i18n import speaking
    >>> with speaking("zh"):
    ...     print(said_source("Product guides"), said_source("GB 50333-2013"))
    产品手册 GB 50333-2013
    """
    return choose(english, sources().get(english))


@cache
def sources() -> dict[str, str]:
    """Return the Chinese of each source, by its English."""
    found: dict[str, str] = read_yaml(CATALOGUE)
    return found
