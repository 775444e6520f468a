"""The YAML files that come with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# The C loader is ten times as fast; a build of PyYAML without it has only the other.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """Return what a file of ours says, as plain values."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  (both are safe)
