"""Groups whose commands several features bring."""

from __future__ import annotations

import click

from apm.cli.lazy import LazyGroup


@click.group(
    "import",
    cls=LazyGroup,
    where={
        "assets": "assets:import_command",
        "parts": "parts:import_command",
        "readings": "readings:import_readings",
    },
)
def imports() -> None:
    """Bring data in from files."""


@click.group("export", cls=LazyGroup, where={"assets": "assets:export_command"})
def exports() -> None:
    """Write data to files that the import reads back."""


@click.group(
    "predict", cls=LazyGroup, where={"backtest": "backtest:backtest", "run": "predict:run"}
)
def predict() -> None:
    """Detectors and forecasts."""
