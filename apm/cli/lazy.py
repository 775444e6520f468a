"""Groups that open a module when one of its commands is asked for.

Loading the whole program takes seconds; `apm token add` needs a small part of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows where its commands live, and loads only the one that runs."""

    def __init__(self, *args: Any, where: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.where = where
        """Command name -> module of `apm.cli` and the command's variable, as `module:variable`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, sorted."""
        return sorted(self.where)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, its module loaded."""
        if cmd_name not in self.where:
            return None
        module, variable = self.where[cmd_name].split(":")
        found: click.Command = getattr(import_module(f"apm.cli.{module}"), variable)
        return found
