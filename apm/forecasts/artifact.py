"""Models of scikit-learn as bytes, and back: only what we wrote, read only by what wrote it.

skops writes plain data and names of types, never code; only types on a short list are made.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version as version_of
from typing import Any

from apm.forecasts.model import ModelVersion

ALLOWED = frozenset({"sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"})
"""Types outside skops' own list that our models consist of."""


class Unreadable(ValueError):
    """A stored model cannot be used; the message says why.  It has to be trained anew."""


def pack(model: Any) -> bytes:
    """Return a model as bytes."""
    import skops.io  # noqa: PLC0415  (seconds, which few starts need)

    return bytes(skops.io.dumps(model))


@lru_cache(maxsize=8)
def unpack(data: bytes) -> Any:
    """Return the model that `pack` stored; it is read once, and only asked afterwards.

    Raises:
        Unreadable: it is damaged, or holds a type that is not on the list.
    """
    import skops.io  # noqa: PLC0415  (seconds, which few starts need)

    try:
        foreign = set(skops.io.get_untrusted_types(data=data)) - ALLOWED
        if foreign:
            raise Unreadable(
                f"holds types that no model of ours has: {', '.join(sorted(foreign))}"
            )
        return skops.io.loads(data, trusted=sorted(ALLOWED))
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"cannot be read: {type(error).__name__}") from error


def check(version: ModelVersion) -> None:
    """Raise `Unreadable` unless the stored model is what was stored, by this scikit-learn."""
    if version.artifact is None:
        return
    if hashlib.sha256(version.artifact).hexdigest() != version.artifact_sha256:
        raise Unreadable("was changed since it was stored: its SHA-256 differs")
    made = version.made_with.get("scikit-learn")
    ours = version_of("scikit-learn")
    if made != ours:
        raise Unreadable(f"was made by scikit-learn {made}, this is {ours}")
