"""A decided cause and a device's log in the world, with the world's name in every text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apm.assets.model import Asset
from apm.attribution.commands import confirm_cause
from apm.attribution.log import add_events
from predict.cause_table import Cause


def decide(as_: Any, name: str, asset: Asset, no: str) -> None:
    """The log of an asset holds a line; somebody said what its failure came from."""
    wang = as_("wang")
    at = wang.now() - timedelta(minutes=5)
    line = {"asset": asset.code, "at": at, "code": name[:60], "severity": "error", "text": name}
    add_events(wang, lines=[line], source=name[:80])
    confirm_cause(wang, no=no, cause=Cause.WEAR, reason=name)
