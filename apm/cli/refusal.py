"""Saying no on the command line."""

from __future__ import annotations

import click

from apm.core.errors import Invalid


class Refused(Exception):
    """The command cannot be carried out; the message says what to do."""


def report_refusal(error: Exception) -> None:
    """Print why on stderr, the fields line by line."""
    click.echo(str(error), err=True)
    if isinstance(error, Invalid):
        for name, messages in error.fields.items():
            click.echo(f"  {name}: {'; '.join(str(m) for m in messages)}", err=True)
