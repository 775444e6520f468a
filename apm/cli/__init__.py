"""The command line: `apm` and `python app.py` are the same."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

import click

from apm.cli.frame import Refused, report_refusal
from apm.core.errors import DomainError
from apm.core.i18n import speak
from apm.core.settings import BadSetting, Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="apm", message="%(version)s")
def cli() -> None:
    """apm: hospital equipment from the day it arrives to the day it is retired."""


for _module in iter_modules(__path__):  # a file of this folder that has `commands` adds them
    for _command in getattr(import_module(f"apm.cli.{_module.name}"), "commands", ()):
        cli.add_command(_command)


def main() -> None:
    """Run the command line.  Exit 0: done; 1: refused, with a reason on stderr; 2: wrong usage."""
    try:
        speak(Settings.from_env().language)
        cli(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except (DomainError, BadSetting, Refused) as error:
        report_refusal(error)
        sys.exit(1)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)


__all__ = ["cli", "main"]
