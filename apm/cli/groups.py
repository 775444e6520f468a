"""Groups that several features add commands to."""

from __future__ import annotations

import click


@click.group("import")
def imports() -> None:
    """Bring data in from files."""


@click.group("predict")
def predict() -> None:
    """Detectors and forecasts."""


commands = [imports, predict]
