"""The command line: `apm` and `python app.py` are the same."""

from __future__ import annotations

import os
import sys

import click

from apm.cli.lazy import LazyGroup
from apm.cli.refusal import Refused, report_refusal
from apm.core.errors import DomainError
from apm.core.i18n import speak
from apm.core.settings import BadSetting, Settings


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    where={
        "audit": "audit:audit",
        "backup": "backup:backup",
        "collect": "running:collect",
        "db": "setup:db",
        "demo": "demo:demo",
        "export": "groups:exports",
        "hospital": "setup:hospital",
        "import": "groups:imports",
        "labels": "assets:labels",
        "predict": "groups:predict",
        "restore": "backup:restore",
        "serve": "running:serve",
        "simulate": "simulate:simulate",
        "token": "setup:token",
        "user": "setup:user",
        "worker": "running:worker",
    },
)
@click.version_option(package_name="apm", message="%(version)s")
def cli() -> None:
    """apm: hospital equipment from the day it arrives to the day it is retired."""


def main() -> None:
    """Run the command line.  Exit 0: done; 1: refused, with a reason on stderr; 2: wrong usage."""
    # Read when a library that counts is loaded, later.  Large work is spread over processes; where
    # several threads want the same core, those of one fit wait for each other by spinning.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
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
